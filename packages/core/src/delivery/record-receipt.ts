import { type ChainChange, followPrimary, type Settlement, settleChains } from "./chains.ts";
import type { Delivery } from "./delivery.ts";
import type { LoadedDelivery, LoadedSend } from "./delivery-storage.ts";
import { settled } from "./delivery-transitions.ts";
import type { SuppressionChange } from "./suppressions-storage.ts";

/**
 * What a provider says later of a delivery that it took: it arrived; it was given back for good (`hard_bounce`), or for now, as by a full
 * mailbox (`soft_bounce`); the provider still tries (`deferred`); or its reader called it spam (`complaint`).
 */
export type ReceiptKind = "delivered" | "hard_bounce" | "soft_bounce" | "deferred" | "complaint";

/** A receipt for deliveries: one, or those that came in one digest. */
export interface ReceiptFor {
  readonly kind: ReceiptKind;
  readonly at: Date;
  readonly deliveryIds: ReadonlySet<string>;
  /** What becomes of the address. */
  readonly suppressions: readonly SuppressionChange[];
}

/**
 * Decides what a receipt changes. A delivery that was sent arrives or fails by it, one that arrived fails by a hard bounce alone, and
 * nothing leads back. What is under way, or was retried since, stays.
 */
export function recordReceipt(loaded: readonly LoadedSend[], now: Date, receipt: ReceiptFor): Settlement {
  const settlement = settleChains(loaded, now, (chain, send): ChainChange | null => {
    const changed = chain.map((delivery) => (receipt.deliveryIds.has(delivery.id) ? afterReceipt(delivery, receipt, now) : delivery));
    if (changed.every((delivery, index) => delivery === chain[index])) {
      return null;
    }
    const isOfPrimary = chain.some((one, index) => !one.isFallback && changed[index] !== one);
    return { chain: isOfPrimary ? followPrimary(changed, send, now) : changed };
  });
  return { ...settlement, changes: { ...settlement.changes, suppressions: receipt.suppressions } };
}

function afterReceipt(delivery: LoadedDelivery, { kind, at }: ReceiptFor, now: Date): Delivery {
  const { status, attemptsBefore, settledAt } = delivery;
  const isOfEarlierTry = attemptsBefore > 0 && settledAt !== null && at < settledAt;
  if (isOfEarlierTry || !FROM[kind].includes(status)) {
    return delivery;
  }
  return kind === "delivered" || kind === "complaint"
    ? settled(delivery, { status: "delivered", now })
    : settled(delivery, { status: "failed", reason: "bounced", reasonSource: kind === "hard_bounce" ? "hard bounce" : "soft bounce", now });
}

/** The states that a receipt may change. Somebody who complains has got it. */
const FROM: Readonly<Record<ReceiptKind, readonly Delivery["status"][]>> = {
  delivered: ["sent"],
  complaint: ["sent"],
  hard_bounce: ["sent", "delivered"],
  // Absence notes come as soft bounces, after the mail has arrived.
  soft_bounce: ["sent"],
  deferred: [],
};
