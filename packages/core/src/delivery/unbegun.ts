import { textOf } from "../foundation/errors.ts";
import type { RepeatedLines } from "../foundation/repeated-lines.ts";
import type { AttemptResult } from "./attempt.ts";
import type { EndedDelivery } from "./ended-delivery.ts";
import { sourceOfWait, waitsInRow } from "./storage-waits.ts";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** How often a delivery waits in a row before its attempt counts as failed: for about a quarter of an hour. */
const MOST_WAITS = 20;

/**
 * What becomes of a delivery whose attempt could not begin, as the database could not be asked. It waits, longer each time, and its attempt
 * does not count. What still cannot be asked after that is more than an outage, and the attempt has failed: the delivery ends in time, and shows why.
 */
export function endOfUnbegun(
  { claimed: { delivery }, bundle }: Pick<EndedDelivery, "claimed" | "bundle">,
  error: unknown,
  lines: Pick<RepeatedLines, "warn">,
): Exclude<AttemptResult, { readonly unbegun: unknown }> {
  const { channel, reason, reasonSource } = delivery;
  const waits = waitsInRow(reasonSource);
  // What a digest holds ends with its carrier, so that one which cannot be read cannot end.
  const isUnread = reason === "bundled" && bundle === null;
  if (waits < MOST_WAITS || isUnread) {
    lines.warn({ error }, "The database was out of reach before a delivery was attempted; it is attempted some seconds later.");
    const inMs = Math.min(FIRST_WAIT_MS * 2 ** waits, LONGEST_WAIT_MS);
    return { ruling: { outcome: "wait", inMs, reason: null, source: sourceOfWait(waits + 1) } };
  }
  const outcome = { status: "failed", transient: true, provider: channel, error: textOf(error) } as const;
  return { outcome, wasHandedIn: false, reason: null };
}
