import type { DeliveryAttempt } from "@belfry/core";
import { FAILED_STEP, LOST_WRITERS, latencyStep } from "@belfry/storage-sql";
import type { QueryContext } from "../database/statement.ts";

const MINUTE_MS = 60_000;

/** The place of a delivery in the sums. */
export type PlaceRow = readonly [
  pk: number,
  tenant: string,
  channel: string,
  isFallback: number,
  /** When it could first go out; null if it is a fallback whose primary has not settled. */
  since: number | null,
];

interface Sum {
  readonly key: SumKey;
  attempts: number;
}

/** What tells a sum from others. */
type SumKey = readonly [tenant: string, minute: number, channel: string, latencyMs: number, writer: number];

const NO_PLACES: ReadonlyMap<number, PlaceRow> = new Map();

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
  const placesFor = (pks: ReadonlySet<number>, known: ReadonlyMap<number, PlaceRow>): ReadonlyMap<number, PlaceRow> => {
    const missing = [...pks].filter((pk) => !known.has(pk));
    return missing.length === 0 ? known : new Map([...known, ...placesOf.all({ pks: missing }).map((place) => [place[0], place] as const)]);
  };
  return (
    attempts: readonly DeliveryAttempt[],
    pkOf: (attempt: DeliveryAttempt) => number | undefined,
    known: ReadonlyMap<number, PlaceRow> = NO_PLACES,
  ): void => {
    const pks = new Set(attempts.map(pkOf).filter((pk) => pk !== undefined));
    const places = placesFor(pks, known);
    for (const { key, attempts: count } of sumsOf(attempts, (attempt) => places.get(pkOf(attempt) ?? 0))) {
      add.run(...key, count);
    }
  };
}

/** The sums that attempts add to, by their places. */
function sumsOf(attempts: readonly DeliveryAttempt[], placeOf: (attempt: DeliveryAttempt) => PlaceRow | undefined): Iterable<Sum> {
  const sums = new Map<string, Sum>();
  let last: Sum | undefined;
  for (const attempt of attempts) {
    const place = placeOf(attempt);
    const key = place === undefined ? null : keyOf(attempt, place);
    if (key !== null) {
      // Usually it is that of the attempt before: a comparison costs less than a text.
      last = last !== undefined && isSame(key, last.key) ? last : sumOf(key, sums);
      last.attempts += 1;
    }
  }
  return sums.values();
}

function sumOf(key: SumKey, sums: Map<string, Sum>): Sum {
  const name = key.join("\u0000");
  const sum = sums.get(name) ?? { key, attempts: 0 };
  sums.set(name, sum);
  return sum;
}

function isSame(one: SumKey, other: SumKey): boolean {
  return one.every((part, index) => part === other[index]);
}

/** The sum that an attempt adds to; null for none: that a user was not connected is no failure. */
function keyOf({ status, startedAt, finishedAt }: DeliveryAttempt, [, tenant, channel, isFallback, sinceMs]: PlaceRow): SumKey | null {
  if (channel === "inbox" && status === "failed") {
    return null;
  }
  const endMs = finishedAt.getTime();
  const beginMs = isFallback === 1 ? Math.min(startedAt.getTime(), sinceMs ?? endMs) : (sinceMs ?? endMs);
  const isGood = status === "sent" || status === "delivered";
  return [
    tenant,
    endMs - (endMs % MINUTE_MS),
    channel,
    isGood ? latencyStep(endMs - beginMs) : FAILED_STEP,
    status === "unknown" ? LOST_WRITERS : 0,
  ];
}
