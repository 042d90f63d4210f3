import { type MessagePreview, type UserAddress, withDigests } from "../delivery/index.ts";
import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { type ChecksOf, requireId, requireInput, requireNone } from "../foundation/issue-list.ts";
import { keyPage, keyRange } from "../foundation/key-pages.ts";
import { NAME_RULE, shown, stringIssue, textIssue, whole } from "../foundation/parse-text.ts";
import type { Notification } from "../notifications/index.ts";
import type { ActivityDelivery } from "./activity.ts";
import type { DeliveryListQuery, ListedDelivery } from "./activity-storage.ts";
import type { OperatorContext } from "./context.ts";
import { withStandings } from "./standings.ts";

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

/** The page of a list of deliveries to read. */
export interface DeliveryLinesInput {
  /** Only those that failed, or are tried again after a failure. @default all */
  readonly isFailing?: boolean;
  /** 1 to 100. @default 20 */
  readonly limit?: number;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** A delivery of a list, and what it delivers. */
export interface DeliveryLine {
  /** With its newest 20 attempts. */
  readonly delivery: ActivityDelivery;
  readonly notification: Pick<Notification, "type" | "title" | "createdAt">;
}

/** A page of a list of deliveries. */
export interface DeliveryLinePage {
  readonly deliveries: readonly DeliveryLine[];
  /** Leads to the next page; null at the end. */
  readonly nextCursor: string | null;
}

const LINES: ChecksOf<DeliveryLinesInput> = {
  isFailing: (value, field) =>
    typeof value === "boolean" ? null : { path: [field], type: "value_error", message: "must be true or false" },
  limit: whole({ min: 1, max: MAX_LIMIT }),
  cursor: stringIssue,
};

/** What a storage's own key of a place looks like. */
const KEY_RULE = { minLength: 1, maxLength: 100 } as const;

/**
 * Lists of deliveries: `notifications.operator.deliveries`. They are read page by page, however many there are.
 *
 * @example
 * ```ts
 * const { deliveries } = await notifications.operator.deliveries.to("ann", { isFailing: true });
 * console.log(deliveries.map(({ delivery, notification }) => `${notification.title} over ${delivery.channel}: ${delivery.attempts.at(-1)?.error}`));
 * ```
 */
export class OperatorDeliveries {
  readonly #tenant: string;
  readonly #context: OperatorContext;

  /** Hosts do not call this. They use `notifications.operator.deliveries`. */
  constructor(tenant: string, context: OperatorContext) {
    this.#tenant = tenant;
    this.#context = context;
  }

  /**
   * A page of a notification's deliveries, in the order of its recipients, the primary before its fallback; empty for one that is unknown.
   *
   * @throws BelfryError `VALIDATION_ERROR`, `INVALID_CURSOR`
   */
  async of(id: string, input: DeliveryLinesInput = {}): Promise<DeliveryLinePage> {
    requireId(id);
    return this.#page("deliveries.of", input, async (query) =>
      isUuid(id) ? await this.#context.activity.deliveriesIn(this.#tenant, id.toLowerCase(), query) : [],
    );
  }

  /**
   * A page of the deliveries to a user over all channels, newest notification first: those that named the user, and those to the addresses at which the
   * directory says the user is reached.
   *
   * @throws BelfryError `VALIDATION_ERROR`, `INVALID_CURSOR`
   */
  async to(userId: string, input: DeliveryLinesInput = {}): Promise<DeliveryLinePage> {
    requireNone([textIssue(userId, ["userId"], NAME_RULE)]);
    return this.#page("deliveries.to", input, async (query) => {
      const known = await this.#context.addressesOf({ tenant: this.#tenant, userId });
      const names = new Set([userId, ...known.flatMap(({ address }) => address ?? [])]);
      return await this.#context.activity.deliveriesTo(this.#tenant, [...names], query);
    });
  }

  /**
   * What the message of a delivery says, rendered anew, for a channel that shows it, such as `email`; without a link to unsubscribe.
   *
   * @throws BelfryError `NOT_FOUND`; `INVALID_STATE` where there is none, which says why
   */
  async preview(deliveryId: string): Promise<MessagePreview> {
    requireId(deliveryId);
    using _call = await this.#context.ready();
    const { activity, deliveries } = this.#context;
    const found = isUuid(deliveryId) ? await activity.findDelivery(this.#tenant, deliveryId.toLowerCase()) : null;
    const send = found === null ? null : await deliveries.findSend(this.#tenant, found.notificationId);
    if (found === null || send === null) {
      throw new BelfryError("NOT_FOUND", `There is no delivery ${shown(deliveryId)}.`);
    }
    return await this.#context.preview({ delivery: found, notification: send, roomId: send.roomId, meta: send.meta });
  }

  /**
   * Where a user is reached over each of the service's channels now, and whether the address is suppressed. It asks the host's directory.
   *
   * @throws BelfryError `VALIDATION_ERROR`
   */
  async addressesOf(userId: string): Promise<readonly UserAddress[]> {
    requireNone([textIssue(userId, ["userId"], NAME_RULE)]);
    using _call = await this.#context.ready();
    return await this.#context.addressesOf({ tenant: this.#tenant, userId });
  }

  async #page(
    what: string,
    input: DeliveryLinesInput,
    read: (query: DeliveryListQuery) => Promise<readonly ListedDelivery[]>,
  ): Promise<DeliveryLinePage> {
    requireInput(what, input, LINES);
    const { limit = DEFAULT_LIMIT, isFailing = false } = input;
    const { after } = keyRange(input, KEY_RULE);
    using _call = await this.#context.ready();
    // Reads one more than requested, to see whether there is a next page.
    const found = await read({ isFailing, after, limit: limit + 1 });
    const { shown: listed, nextCursor } = keyPage(found, { limit, keyOf: ({ key }) => key });
    const tracked = listed.map(({ delivery }) => delivery);
    const standing = await withStandings(this.#context, await withDigests(this.#context, this.#tenant, tracked));
    return { deliveries: standing.map((delivery, index) => lineOf(delivery, listed[index])), nextCursor };
  }
}

function lineOf(delivery: ActivityDelivery, listed: ListedDelivery | undefined): DeliveryLine {
  const { type = "", title = "", createdAt = new Date(0) } = listed?.notification ?? {};
  return { delivery, notification: { type, title, createdAt } };
}
