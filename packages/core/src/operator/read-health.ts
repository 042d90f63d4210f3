import { validationError } from "../foundation/issue-list.ts";
import { describe } from "../foundation/parse-text.ts";
import type { ChannelHealth, HealthRange } from "./activity.ts";
import type { OperatorContext } from "./context.ts";

const MINUTE_MS = 60_000;

const RANGES: Readonly<Record<HealthRange, { readonly bucketMs: number; readonly buckets: number }>> = {
  "1h": { bucketMs: MINUTE_MS, buckets: 60 },
  "24h": { bucketMs: 30 * MINUTE_MS, buckets: 48 },
  "7d": { bucketMs: 120 * MINUTE_MS, buckets: 84 },
};

/** Returns the health of each channel. The last part of the period is the current one. */
export async function readHealth(context: OperatorContext, tenant: string, range: HealthRange): Promise<readonly ChannelHealth[]> {
  const parts = Object.hasOwn(RANGES, range) ? RANGES[range] : null;
  if (parts === null) {
    const is = typeof range === "string" ? JSON.stringify((range as string).slice(0, 64)) : describe(range);
    const message = `must be one of ${Object.keys(RANGES).join(", ")}, is ${is}`;
    throw validationError([{ path: ["range"], type: "value_error", message }]);
  }
  using _call = await context.ready();
  const now = context.clock.now();
  // Parts begin at round times, so that a bar of the chart stays the same bar as time passes.
  const begun = now - (now % parts.bucketMs);
  const from = new Date(begun - (parts.buckets - 1) * parts.bucketMs);
  return context.activity.health(tenant, { from, ...parts }, new Date(now));
}
