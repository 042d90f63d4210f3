import { FAILED_STEP, LATENCY_STEPS, LOST_WRITERS } from "@belfry/storage-sql";
import { milliseconds } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

const STEPS = `'{${LATENCY_STEPS.join(",")}}'::bigint[]`;

/** Since when a fallback could go out, as a column of its primary; `d` is the fallback. */
export function primarySettled({ deliveries }: Pick<TableNames, "deliveries">): string {
  return `(SELECT min(p.settled_at) FROM ${deliveries} p WHERE p.notification_pk = d.notification_pk AND p.chain = d.chain AND NOT p.is_fallback)`;
}

/**
 * Adds attempts to the sums of their minutes: rows of `from` with `tenant`, `channel`, `status`, `finished_at`, and the time `since` which
 * they could go out. Transactions that write at once have each their own rows, by their connection, and so never wait for each other.
 */
export function addToSums({ attemptSums }: TableNames, from: string): string {
  const latency = `(${STEPS})[width_bucket(greatest(0, ${milliseconds("(finished_at - since)")}), ${STEPS})]`;
  return `INSERT INTO ${attemptSums} AS s (tenant, minute, channel, latency_ms, writer, attempts)
    SELECT tenant, ${beginOf("finished_at", 60)}, channel,
      CASE WHEN status IN ('sent', 'delivered') THEN ${latency} ELSE ${FAILED_STEP} END,
      pg_backend_pid() + CASE WHEN status = 'unknown' THEN ${LOST_WRITERS} ELSE 0 END, count(*)
    FROM ${from} WHERE NOT (channel = 'inbox' AND status = 'failed') GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (tenant, minute, channel, latency_ms, writer) DO UPDATE SET attempts = s.attempts + excluded.attempts`;
}

/** The beginning of the part of so many seconds that a time is in. */
export function beginOf(time: string, seconds: number): string {
  // By whole numbers: by the decimals of `extract`, it would cost as much as the rest of an attempt's sum.
  return `date_bin('${seconds} seconds', ${time}, 'epoch'::timestamptz)`;
}
