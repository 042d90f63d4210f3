import type { BaseContext } from "../foundation/context.ts";
import { isUuid } from "../foundation/ids.ts";
import { type ChecksOf, requireInput, requireNone } from "../foundation/issue-list.ts";
import { NAME_RULE, oneOf, stringIssue, text } from "../foundation/parse-text.ts";
import { parsedTime, timeIssue } from "../foundation/parse-time.ts";
import { type DeliveryContext, settle } from "./context.ts";
import type { LoadedDelivery, LoadedSend } from "./delivery-storage.ts";
import { short } from "./kept-exchange.ts";
import { type ReceiptKind, recordReceipt } from "./record-receipt.ts";
import { NO_NOTIFICATION } from "./send.ts";
import { type AskedAddress, placeOf, tellSuppressed } from "./suppressed-addresses.ts";
import { ADDRESS_RULE } from "./suppressions.ts";
import type { Place, SuppressionChange } from "./suppressions-storage.ts";

/** The parts that receipts use. */
export type ReceiptsContext = BaseContext &
  Pick<DeliveryContext, "deliveries" | "digests" | "channels" | "events" | "suppressions" | "untoldSuppressions" | "softBounces" | "lines">;

/** What a provider reports of a delivery, after it took it. */
export interface Receipt {
  readonly kind: ReceiptKind;
  /** The id of the delivery, or the `Message-ID` that its channel made of it, with or without angle brackets. @default not known */
  readonly messageId?: string;
  /** The address that it is about. @default the delivery's recipient, if that is an address */
  readonly address?: string;
  /** @default "email" */
  readonly channel?: string;
  /** Names the provider, as who suppressed the address. @default "provider" */
  readonly provider?: string;
  /** The provider's own words, of which 1,000 characters are kept with a suppression. @default none */
  readonly detail?: string;
  /** When it happened. @default now */
  readonly at?: Date;
}

/** What became of a receipt. */
export interface RecordedReceipt {
  /**
   * `changed` or `unchanged` for a delivery that is there; `under_way` for one that is being attempted at this moment: report it again in a
   * minute; `unknown` where there is none of the tenant.
   */
  readonly outcome: "changed" | "unchanged" | "under_way" | "unknown";
  /** Whether the address is suppressed by now. */
  readonly isSuppressed: boolean;
}

const kindIssue = oneOf(["delivered", "hard_bounce", "soft_bounce", "deferred", "complaint"]);
const RECEIPT: ChecksOf<Receipt> = {
  kind: kindIssue,
  messageId: text({ maxLength: 1_000 }),
  address: text(ADDRESS_RULE),
  channel: text(NAME_RULE),
  provider: text(NAME_RULE),
  detail: stringIssue,
  at: timeIssue,
};

/** How many entries of a digest a receipt reads at once. */
const PAGE = 200;

/**
 * What providers report later: `notifications.receipts`. A receipt makes a delivery that was `sent` `delivered` or `failed`, and one that was
 * `delivered` `failed` after a hard bounce. Hard bounces and complaints suppress the address, soft bounces do once there are several. It is
 * all one transaction, and repeating a receipt changes nothing.
 *
 * Pass on only what a provider signed, or what came in a way that only the provider knows.
 *
 * @example
 * ```ts
 * await notifications.receipts.record({ kind: "hard_bounce", messageId: "<…@example.com>", address: "ann@example.com", provider: "ses" });
 * ```
 */
export class Receipts {
  readonly #tenant: string | null;
  readonly #context: ReceiptsContext;

  /** Hosts do not call this. They use `notifications.receipts` or `notifications.tenant(id).receipts`. @param tenant null for any tenant */
  constructor(tenant: string | null, context: ReceiptsContext) {
    this.#tenant = tenant;
    this.#context = context;
  }

  /**
   * Records a receipt. One for a delivery that is not known suppresses its address all the same, if the tenant is known.
   *
   * @throws BelfryError `VALIDATION_ERROR`; `STORAGE_UNAVAILABLE`, `STORAGE_FAILED`: report it again
   */
  async record(receipt: Receipt): Promise<RecordedReceipt> {
    requireInput("receipts.record", receipt, RECEIPT);
    requireNone([kindIssue(receipt.kind, "kind")]);
    using _call = await this.#context.ready();
    const deliveryId = deliveryIdOf(receipt.messageId);
    const recorded = deliveryId === null ? null : await this.#ofDelivery(deliveryId, receipt);
    if (recorded !== null) {
      return recorded;
    }
    const { address } = receipt;
    const tenant = this.#tenant;
    if (tenant === null || address === undefined) {
      return { outcome: "unknown", isSuppressed: false };
    }
    const place = this.#place(receipt, address);
    const changes = this.#changes(receipt, { tenant, place, deliveryId, notificationId: NO_NOTIFICATION });
    const record = () => this.#context.suppressions.change(changes, new Date(this.#context.clock.now()));
    return { outcome: "unknown", isSuppressed: await this.#suppressing([{ tenant, place }], changes, record) };
  }

  /** Records the receipt of a delivery; null if there is none that it can be about. */
  async #ofDelivery(deliveryId: string, receipt: Receipt): Promise<RecordedReceipt | null> {
    const found = await this.#find(deliveryId, receipt);
    if (found === null) {
      return null;
    }
    const { tenant, notificationId, recipient, recipientKind } = found;
    const address = receipt.address ?? (recipientKind === "address" ? recipient : null);
    const place = address === null ? null : this.#place(receipt, address);
    const suppressions = place === null ? [] : this.#changes(receipt, { tenant, place, deliveryId, notificationId });
    const deliveryIds = new Set([deliveryId, ...(await this.#entriesWith(found))]);
    const at = parsedTime(receipt.at) ?? new Date(this.#context.clock.now());
    const last: { outcome: RecordedReceipt["outcome"] } = { outcome: "unchanged" };
    const record = async () => {
      await settle(this.#context, { kind: "deliveries", ids: [...deliveryIds] }, (loaded, now) => {
        const settlement = recordReceipt(loaded, now, { kind: receipt.kind, at, deliveryIds, suppressions });
        const isUnderWay = deliveryIn(loaded, deliveryId)?.status === "pending";
        last.outcome = settlement.deliveries.length > 0 ? "changed" : isUnderWay ? "under_way" : "unchanged";
        return settlement;
      });
    };
    const isSuppressed = await this.#suppressing(place === null ? [] : [{ tenant, place }], suppressions, record);
    return { outcome: last.outcome, isSuppressed };
  }

  /** Reads the delivery that a receipt is about; null for one of another tenant or channel. */
  async #find(deliveryId: string, { channel = "email" }: Receipt): Promise<LoadedDelivery | null> {
    const last: { found: LoadedDelivery | null } = { found: null };
    await settle(this.#context, { kind: "deliveries", ids: [deliveryId] }, (loaded) => {
      last.found = deliveryIn(loaded, deliveryId);
      return null;
    });
    const { found } = last;
    return found !== null && found.channel === channel && (this.#tenant === null || found.tenant === this.#tenant) ? found : null;
  }

  /** The deliveries that went out in one digest with this one. */
  async #entriesWith({ tenant, id }: LoadedDelivery): Promise<readonly string[]> {
    const { digests } = this.#context;
    const digest = (await digests.digestsOf(tenant, [id])).get(id);
    const ids: string[] = [];
    for (let after: string | null = null; digest?.renderedAt; ) {
      const page = await digests.members(digest.id, { after, limit: PAGE });
      ids.push(...page.members.map(({ deliveryId }) => deliveryId));
      if (page.next === null) {
        break;
      }
      after = page.next;
    }
    return ids;
  }

  /** Runs `record`, and tells the host's listeners if it suppressed the address. Returns whether the address is suppressed. */
  async #suppressing(asked: readonly AskedAddress[], changes: readonly SuppressionChange[], record: () => Promise<void>): Promise<boolean> {
    const { suppressed } = await tellSuppressed(this.#context, asked, record);
    return suppressed === null ? changes.some(({ kind }) => kind === "suppress") : suppressed.length > 0;
  }

  #place({ channel = "email" }: Receipt, address: string): Place {
    return placeOf(this.#context.channels.get(channel) ?? { name: channel }, address);
  }

  /** What becomes of the address. */
  #changes(
    { kind, provider: actor = "provider", detail }: Receipt,
    { tenant, place, deliveryId, notificationId }: { tenant: string; place: Place; deliveryId: string | null; notificationId: string },
  ): readonly SuppressionChange[] {
    const about = { ...place, tenant, notificationId };
    const said = { actor, detail: short(detail) };
    if (kind === "hard_bounce" || kind === "complaint") {
      return [{ ...about, ...said, kind: "suppress", reason: kind }];
    }
    if (kind === "delivered") {
      return [{ ...about, kind: "arrived" }];
    }
    if (kind === "deferred" || deliveryId === null) {
      return [];
    }
    const { most, withinMs } = this.#context.softBounces;
    const since = new Date(this.#context.clock.now() - withinMs);
    return [{ ...about, ...said, kind: "count", reason: "soft_bounces", deliveryId, since, most }];
  }
}

/** The delivery that a `Message-ID` was made of; null for one that Belfry did not make. */
function deliveryIdOf(messageId = ""): string | null {
  const [id = ""] = messageId.trim().replace(/^</, "").split("@");
  return isUuid(id) ? id.toLowerCase() : null;
}

function deliveryIn(loaded: readonly LoadedSend[], id: string): LoadedDelivery | null {
  return loaded.flatMap(({ chains }) => chains.flat()).find((delivery) => delivery.id === id) ?? null;
}
