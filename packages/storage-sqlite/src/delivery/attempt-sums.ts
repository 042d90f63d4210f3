import type { DeliveryAttempt } from "@belfry/core";
import { FAILED_STEP, LOST_WRITERS, latencyStep } from "@belfry/storage-sql";
import type { QueryContext } from "../database/statement.ts";

const MINUTE_MS = 60_000;

/** What sums count of a delivery beside its attempts. */
export interface CountedPlace {
  readonly tenant: string;
  readonly channel: string;
  readonly isFallback: boolean;
  /** When it could first go out; null if it is a fallback whose primary has not settled. */
  readonly sinceMs: number | null;
}

type PlaceRow = readonly [pk: number, tenant: string, channel: string, isFallback: number, since: number | null];

interface Sum {
  readonly key: SumKey;
  attempts: number;
}

/** What tells a sum from others. */
type SumKey = readonly [tenant: string, minute: number, channel: string, latencyMs: number, writer: number];

/** Adds attempts to the sums of their minutes, in the transaction that writes them. It looks for the places that the caller does not know. */
export function prepareAddToSums({ prepareRows, prepareBare }: QueryContext) {
  const placesOf = prepareRows<{ readonly pks: readonly number[] }, PlaceRow>(`
    SELECT d.pk, d.tenant, d.channel, d.is_fallback, CASE WHEN d.is_fallback THEN (
        SELECT min(p.settled_at) FROM belfry_deliveries p WHERE p.notification_pk = d.notification_pk AND p.chain = d.chain AND p.is_fallback = 0)
      ELSE (SELECT coalesce(t.scheduled_at, t.created_at) FROM belfry_trackings t WHERE t.notification_pk = d.notification_pk) END
    FROM json_each(:pks) k CROSS JOIN belfry_deliveries d ON d.pk = k.value`);
  const add = prepareBare<[...SumKey, attempts: number]>(`
    INSERT INTO belfry_attempt_sums (tenant, minute, channel, latency_ms, writer, attempts) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (tenant, minute, channel, latency_ms, writer) DO UPDATE SET attempts = attempts + excluded.attempts`);
  const find = (pks: readonly number[]): ReadonlyMap<number, CountedPlace> =>
    new Map(
      placesOf
        .all({ pks })
        .map(([pk, tenant, channel, isFallback, sinceMs]) => [pk, { tenant, channel, isFallback: isFallback === 1, sinceMs }]),
    );
  return (
    attempts: readonly DeliveryAttempt[],
    pkOf: (attempt: DeliveryAttempt, index: number) => number | undefined,
    knownOf?: (attempt: DeliveryAttempt, index: number) => CountedPlace | undefined,
  ): void => {
    const pks = attempts.map(pkOf);
    const known = attempts.map((attempt, index) => (pks[index] === undefined ? undefined : knownOf?.(attempt, index)));
    const missing = new Set(pks.filter((pk, index) => pk !== undefined && known[index] === undefined));
    const found = missing.size === 0 ? null : find([...missing].flatMap((pk) => pk ?? []));
    for (const { key, attempts: count } of sumsOf(attempts, (index) => known[index] ?? found?.get(pks[index] ?? 0))) {
      add.run(...key, count);
    }
  };
}

/** The sums that attempts add to, by their places. That a user was not connected is no failure, and counts nowhere. */
function sumsOf(attempts: readonly DeliveryAttempt[], placeAt: (index: number) => CountedPlace | undefined): Iterable<Sum> {
  const sums = new Map<string, Sum>();
  let last: Sum | undefined;
  for (const [index, attempt] of attempts.entries()) {
    const place = placeAt(index);
    if (place !== undefined && !(place.channel === "inbox" && attempt.status === "failed")) {
      last = sumOf(attempt, place, { sums, last });
      last.attempts += 1;
    }
  }
  return sums.values();
}

/** The sum that an attempt adds to: usually that of the attempt before, and a comparison costs less than a text. */
function sumOf(
  attempt: DeliveryAttempt,
  place: CountedPlace,
  { sums, last }: { readonly sums: Map<string, Sum>; readonly last: Sum | undefined },
): Sum {
  const { tenant, channel } = place;
  const endMs = attempt.finishedAt.getTime();
  const minute = endMs - (endMs % MINUTE_MS);
  const latencyMs = latencyOf(attempt, place, endMs);
  const writer = attempt.status === "unknown" ? LOST_WRITERS : 0;
  if (last !== undefined) {
    const [lastTenant, lastMinute, lastChannel, lastLatencyMs, lastWriter] = last.key;
    const isSameGroup = tenant === lastTenant && channel === lastChannel;
    if (isSameGroup && minute === lastMinute && latencyMs === lastLatencyMs && writer === lastWriter) {
      return last;
    }
  }
  const key: SumKey = [tenant, minute, channel, latencyMs, writer];
  const name = key.join("\u0000");
  const sum = sums.get(name) ?? { key, attempts: 0 };
  sums.set(name, sum);
  return sum;
}

function latencyOf({ status, startedAt }: DeliveryAttempt, { isFallback, sinceMs }: CountedPlace, endMs: number): number {
  if (status !== "sent" && status !== "delivered") {
    return FAILED_STEP;
  }
  const beginMs = isFallback ? Math.min(startedAt.getTime(), sinceMs ?? endMs) : (sinceMs ?? endMs);
  return latencyStep(endMs - beginMs);
}
