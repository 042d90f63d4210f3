import type { RepeatedLines } from "../foundation/repeated-lines.ts";
import type { TracedEnd, TracedWork } from "../foundation/tracing.ts";
import type { AttemptResult } from "./attempt.ts";
import type { DeliveryFailure } from "./channel.ts";
import type { Delivery } from "./delivery.ts";

/** An attempt, for traces. */
export function tracedAttempt({ tenant, notificationId, id, channel, attempt: number, isFallback }: Delivery): TracedWork {
  return { name: "deliver", tenant, notificationId, facts: { channel, delivery: id, attempt: number, fallback: isFallback } };
}

/** Its end, for traces. What a provider said stays out of them: it may name addresses. */
export function tracedResult(result: AttemptResult): TracedEnd {
  if ("unbegun" in result) {
    return { hasFailed: true, facts: { outcome: "unbegun" } };
  }
  if ("ruling" in result) {
    return { facts: { outcome: result.ruling.outcome } };
  }
  const { status, provider } = result.outcome;
  return { hasFailed: status === "failed", facts: { outcome: status, provider } };
}

/** What a code of a failure may be, so that no address or text of a provider comes into the log. */
const CODE = /^[\w .-]{1,40}$/;

/** Logs a failed attempt, once a minute for each channel. What was said of it stays out but for its code: it may name addresses. */
export function logFailure(lines: RepeatedLines, of: Delivery, { code }: Pick<DeliveryFailure, "code">): void {
  const { tenant, notificationId, id: delivery, channel, attempt } = of;
  lines.warn(
    { channel, tenant, notificationId, delivery, attempt, ...(typeof code === "string" && CODE.test(code) && { code }) },
    `An attempt over the channel ${channel} failed; the delivery says why.`,
  );
}
