import type { BaseContext, Emits } from "../foundation/context.ts";
import { type ChecksOf, requireInput, requireNone } from "../foundation/issue-list.ts";
import { KEY_PAGE, type KeyPageInput, keyPage, keyRange } from "../foundation/key-pages.ts";
import { NAME_RULE, oneOf, type TextRule, text, textIssue } from "../foundation/parse-text.ts";
import { actorOf } from "./change-send.ts";
import type { Channel } from "./channel.ts";
import { type Acting, NO_NOTIFICATION } from "./send.ts";
import { placeOf } from "./suppressed-addresses.ts";
import type { Place, Suppression, SuppressionEvents, SuppressionReason, SuppressionsStorage } from "./suppressions-storage.ts";

/** The parts that suppressions use. */
export interface SuppressionsContext extends BaseContext {
  readonly suppressions: SuppressionsStorage;
  /** The host's channels, by name; the inbox is not among them. */
  readonly channels: ReadonlyMap<string, Channel>;
  readonly events: Emits<SuppressionEvents>;
}

/** An address to be suppressed. */
export interface SuppressInput extends Place, Acting {
  /** @default "manual" */
  readonly reason?: SuppressionReason;
  /** More about the reason, up to 1,000 characters. @default none */
  readonly detail?: string;
}

/** Which suppressions to list. */
export interface SuppressionListInput extends KeyPageInput {
  /** How the addresses begin, as the channel compares them: those of mail are in lower case. @default every address */
  readonly prefix?: string;
  /** @default every channel */
  readonly channel?: string;
  /** @default every reason */
  readonly reason?: SuppressionReason;
}

/** A page of suppressions, by address. */
export interface SuppressionPage {
  readonly suppressions: readonly Suppression[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

const REASONS: readonly SuppressionReason[] = ["hard_bounce", "soft_bounces", "complaint", "unsubscribed", "manual"];
/** The rule for addresses: an index holds one beside the tenant. */
export const ADDRESS_RULE: TextRule = { minLength: 1, maxLength: 500 };
/** A key of a page holds an address. */
const KEY_RULE: TextRule = { minLength: 1, maxLength: 600 };

const LIST: ChecksOf<SuppressionListInput> = {
  ...KEY_PAGE,
  prefix: text({ maxLength: 500 }),
  channel: text(NAME_RULE),
  reason: oneOf(REASONS),
};
const ADDED: ChecksOf<SuppressInput> = {
  channel: text(NAME_RULE),
  address: text(ADDRESS_RULE),
  actor: text(NAME_RULE),
  reason: oneOf(REASONS),
  detail: text({ maxLength: 1_000 }),
};
const LIFTED: ChecksOf<Acting> = { actor: text(NAME_RULE) };

/**
 * Addresses that nothing is delivered to: `notifications.suppressions`. Hard bounces, complaints and repeated soft bounces add to them by
 * `notifications.receipts`, hard bounces also by the attempts of channels, and people do here. What is for such an address is skipped with the reason `suppressed`, also what is required,
 * and its fallback goes instead.
 *
 * @example
 * ```ts
 * await notifications.suppressions.add({ channel: "email", address: "ann@example.com", actor: "support" });
 * await notifications.suppressions.lift("email", "Ann@example.com", { actor: "support" }); // true
 * ```
 */
export class Suppressions {
  readonly #tenant: string;
  readonly #context: SuppressionsContext;

  /** Hosts do not call this. They use `notifications.suppressions` or `notifications.tenant(id).suppressions`. */
  constructor(tenant: string, context: SuppressionsContext) {
    this.#tenant = tenant;
    this.#context = context;
  }

  /** A page of the suppressed addresses, by address. @throws BelfryError `VALIDATION_ERROR`, `INVALID_CURSOR` */
  async list(input: SuppressionListInput = {}): Promise<SuppressionPage> {
    requireInput("suppressions.list", input, LIST);
    const { after, limit } = keyRange(input, KEY_RULE);
    const { prefix = "", channel = null, reason = null } = input;
    using _call = await this.#context.ready();
    const found = await this.#context.suppressions.list(this.#tenant, { prefix, channel, reason, after, limit: limit + 1 });
    const { shown, nextCursor } = keyPage(found, { limit, keyOf: ({ key }) => key });
    return { suppressions: shown.map(({ key: _, ...suppression }) => suppression), nextCursor };
  }

  /** The suppression of an address over a channel, null if there is none. @throws BelfryError `VALIDATION_ERROR` */
  async get(channel: string, address: string): Promise<Suppression | null> {
    const place = this.#place(channel, address);
    using _call = await this.#context.ready();
    return await this.#find(place);
  }

  /**
   * Suppresses an address over a channel; it may be repeated. One that is suppressed stays so as it was. The audit log has a line, without the
   * address.
   *
   * @returns the suppression as it is now
   * @throws BelfryError `VALIDATION_ERROR`
   */
  async add(input: SuppressInput): Promise<Suppression> {
    requireInput("suppressions.add", input, ADDED);
    const { reason = "manual", detail = null } = input;
    const place = this.#place(input.channel, input.address);
    using _call = await this.#context.ready();
    const known = await this.#find(place);
    if (known !== null) {
      return known;
    }
    const at = new Date(this.#context.clock.now());
    const made = { ...place, reason, detail, actor: actorOf(input) };
    const change = { ...made, kind: "suppress", tenant: this.#tenant, notificationId: NO_NOTIFICATION } as const;
    await this.#context.suppressions.change([change], at);
    const suppression = (await this.#find(place)) ?? { ...made, createdAt: at };
    this.#context.events.emit("address.suppressed", { ...suppression, tenant: this.#tenant });
    return suppression;
  }

  /**
   * Delivers to an address again, and forgets the soft bounces that were counted; it may be repeated. The audit log has a line, without the
   * address. What was skipped stays so.
   *
   * @returns whether it was suppressed
   * @throws BelfryError `VALIDATION_ERROR`
   */
  async lift(channel: string, address: string, acting: Acting = {}): Promise<boolean> {
    requireInput("suppressions.lift", acting, LIFTED);
    const place = this.#place(channel, address);
    using _call = await this.#context.ready();
    const known = await this.#find(place);
    const change = { ...place, kind: "lift", tenant: this.#tenant, notificationId: NO_NOTIFICATION, actor: actorOf(acting) } as const;
    await this.#context.suppressions.change([change], new Date(this.#context.clock.now()));
    if (known !== null) {
      this.#context.events.emit("address.lifted", { ...known, tenant: this.#tenant });
    }
    return known !== null;
  }

  #place(channel: string, address: string): Place {
    requireNone([textIssue(channel, ["channel"], NAME_RULE), textIssue(address, ["address"], ADDRESS_RULE)]);
    return placeOf(this.#context.channels.get(channel) ?? { name: channel }, address);
  }

  async #find(place: Place): Promise<Suppression | null> {
    const [found = null] = await this.#context.suppressions.of(this.#tenant, [place]);
    return found;
  }
}
