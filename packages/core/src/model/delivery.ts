/**
 * One notification to one recipient over one channel, and its states:
 *
 * ```
 * waiting ──its primary failed, or its delay passed without an acknowledgement──> pending
 * pending ──claimed──> pending, leased ──┬─ ok ─────────────────────────> sent ──receipt or acknowledgement──> delivered
 *                                        ├─ ok, and the channel confirms ─> delivered
 *                                        ├─ transient failure ────────────> pending, due later
 *                                        ├─ permanent, or out of attempts > failed
 *                                        └─ lease expired ────────────────> the attempt is "unknown"; pending or failed
 * pending or waiting, not leased ──cancelled, or its primary was acknowledged──> cancelled
 * failed ──somebody asks for a retry──> pending
 * ```
 *
 * Beside these, a receipt may come late: sent → failed (bounce), and failed for want of an acknowledgement or of a
 * socket → delivered when the user reads it after all.
 */
export type DeliveryStatus = "waiting" | "pending" | "sent" | "delivered" | "failed" | "cancelled";

/** What a whole notification came to. */
export type SendStatus = "pending" | "sent" | "delivered" | "failed" | "partial" | "cancelled";

/** How many chains of a notification have each outcome. A chain is one recipient's primary delivery and its fallbacks. */
export type ChainCounts = Readonly<Record<ChainOutcome, number>>;

/** What a chain came to: its deliveries' best outcome. */
export type ChainOutcome = "pending" | "sent" | "delivered" | "failed" | "cancelled";

/**
 * Best first. `waiting` ranks below what has settled well, so a fallback that still waits does not hold back a chain
 * whose primary was sent, and above `failed`, so it does hold back one whose primary failed.
 */
export const STATUS_RANK: Readonly<Record<DeliveryStatus, number>> = {
  delivered: 5,
  sent: 4,
  pending: 3,
  waiting: 2,
  failed: 1,
  cancelled: 0,
};

const OUTCOME_BY_RANK: readonly ChainOutcome[] = ["cancelled", "failed", "pending", "pending", "sent", "delivered"];

/** The outcome of a chain with these deliveries; a chain has at least one. */
export function chainOutcome(deliveries: readonly DeliveryStatus[]): ChainOutcome {
  const best = Math.max(...deliveries.map((status) => STATUS_RANK[status]));
  return OUTCOME_BY_RANK[best] ?? "cancelled";
}

/** The status of a notification whose chains came to `counts`. Cancelled chains count only when there are no others. */
export function sendStatus({ pending, sent, delivered, failed }: ChainCounts): SendStatus {
  if (pending > 0) {
    return "pending";
  }
  const settled = sent + delivered + failed;
  if (settled === 0) {
    return "cancelled";
  }
  if (failed === settled) {
    return "failed";
  }
  if (failed > 0) {
    return "partial";
  }
  return delivered === settled ? "delivered" : "sent";
}
