import type { ChannelHealth, WaitingState } from "@belfry/core";
import type { HealthWindow } from "@belfry/core/storage";
import { stateOf, waitingOf } from "@belfry/storage-sql";
import type { Session } from "../database/connection.ts";
import { milliseconds, type StorageTime, statement, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** Attempts in one part of the window or, if the bucket is null, in all of it, with percentiles. */
type AttemptRow = readonly [
  channel: string,
  bucket: number | null,
  succeeded: number,
  failed: number,
  p50Ms: number | null,
  p95Ms: number | null,
];

/** Deliveries of a channel in one state, and the first due time of them. */
type PendingRow = readonly [channel: string, state: WaitingState, pending: number, firstDueAt: number];

/** Reads a tenant's channels' health. */
export function prepareHealth(tables: TableNames, time: StorageTime) {
  const attempts = statement<AttemptRow>("health_attempts", attemptsText(tables));
  const pending = statement<PendingRow>(
    "health_pending",
    // The fence (OFFSET 0) makes it look at the clock once, and at each delivery's state once.
    `SELECT channel, state, count(*), ${milliseconds("min(due_at)")} FROM (
      SELECT d.channel, ${stateOf("d", "c.now", tables)} AS state, d.due_at FROM (SELECT ${timeOf("$2")} AS now OFFSET 0) c CROSS JOIN (SELECT * FROM ${tables.deliveries}
        WHERE tenant = $1 AND status = 'pending' AND lease_owner IS NULL AND due_at IS NOT NULL ORDER BY due_at LIMIT $3::bigint) d OFFSET 0) d
    GROUP BY channel, state`,
  );
  return (tenant: string, window: HealthWindow, at: Date) =>
    async (session: Session): Promise<readonly ChannelHealth[]> => {
      const end = new Date(window.from.getTime() + window.buckets * window.bucketMs);
      const [attemptRows, pendingRows] = await Promise.all([
        session.rows(attempts, [tenant, window.from.toISOString(), end.toISOString(), window.bucketMs]),
        session.rows(pending, [tenant, time(at), window.mostWaiting ?? null]),
      ]);
      const channels = new Set([...attemptRows, ...pendingRows].map(([channel]) => channel));
      return [...channels]
        .sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
        .map((channel) => {
          const [ofAttempts, ofPending] = [attemptRows.filter(([of]) => of === channel), pendingRows.filter(([of]) => of === channel)];
          return channelHealth(channel, { attemptRows: ofAttempts, pendingRows: ofPending, window, at });
        });
    };
}

/** $1 the tenant, $2 and $3 the window's start and end, $4 the length of its parts. */
function attemptsText({ deliveryAttempts, deliveries, trackings }: TableNames): string {
  const primarySettled = `(SELECT min(p.settled_at) FROM ${deliveries} p WHERE p.notification_pk = d.notification_pk AND p.chain = d.chain AND NOT p.is_fallback)`;
  const since = `CASE WHEN d.is_fallback THEN least(a.started_at, ${primarySettled})
    ELSE (SELECT coalesce(t.scheduled_at, t.created_at) FROM ${trackings} t WHERE t.notification_pk = d.notification_pk) END`;
  const percentile = (share: number) => `percentile_disc(${share}) WITHIN GROUP (ORDER BY latency) FILTER (WHERE is_good)`;
  // The fences (OFFSET 0) make it look deliveries up by key, and compute `ms` once for each attempt, not each time it is named.
  return `SELECT channel, bucket, count(*) FILTER (WHERE is_good), count(*) FILTER (WHERE NOT is_good), ${percentile(0.5)}, ${percentile(0.95)}
    FROM (
      SELECT channel, bucket, is_good, ms - ms % (10 ^ greatest(0, length(ms::text) - 3))::bigint AS latency
      FROM (
        SELECT d.channel, floor(extract(epoch FROM a.finished_at - $2::timestamptz) * 1000 / $4::bigint)::bigint AS bucket,
          a.is_good, CASE WHEN a.is_good THEN greatest(0, ${milliseconds(`(a.finished_at - ${since})`)}) END AS ms
        FROM (
          SELECT *, status IN ('sent', 'delivered') AS is_good FROM ${deliveryAttempts}
          WHERE finished_at >= $2::timestamptz AND finished_at < $3::timestamptz) a
        CROSS JOIN LATERAL (SELECT * FROM ${deliveries} WHERE pk = a.delivery_pk OFFSET 0) d
        WHERE d.tenant = $1 AND NOT (d.channel = 'inbox' AND a.status = 'failed') OFFSET 0) a) a
    GROUP BY GROUPING SETS ((channel, bucket), (channel))`;
}

function channelHealth(
  channel: string,
  {
    attemptRows,
    pendingRows,
    window,
    at,
  }: {
    readonly attemptRows: readonly AttemptRow[];
    readonly pendingRows: readonly PendingRow[];
    readonly window: HealthWindow;
    readonly at: Date;
  },
): ChannelHealth {
  const rows = new Map(attemptRows.map((row) => [row[1], row]));
  const [, , succeeded = 0, failed = 0, p50Ms = null, p95Ms = null] = rows.get(null) ?? [];
  const waiting = waitingOf(
    pendingRows.map(([, state, count, firstDueAt]) => ({ state, count, firstDueAt })),
    at,
  );
  return {
    channel,
    succeeded,
    failed,
    p50Ms,
    p95Ms,
    ...waiting,
    buckets: Array.from({ length: window.buckets }, (_, bucket) => {
      const [, , good = 0, bad = 0] = rows.get(bucket) ?? [];
      return { from: new Date(window.from.getTime() + bucket * window.bucketMs), succeeded: good, failed: bad };
    }),
  };
}
