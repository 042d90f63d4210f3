import type { HealthStorage } from "@belfry/core/storage";
import { backlogSamples, FOLDED, FOLDED_LOST, heartbeats, isOfLost, type Sql } from "@belfry/storage-sql";
import { bind, type Current, step } from "../database/bind.ts";
import type { QueryContext } from "../database/statement.ts";
import { countingAllWaiting } from "./health.ts";

const HALF_HOUR_MS = 30 * 60_000;
/** How many sums one step works on: a few milliseconds' work. */
const STEP = 500;

/** The figures of health over time in SQLite. */
export function sqliteHealth(current: Current, sql: Sql): HealthStorage {
  return {
    ...bind(current, { foldAttempts: step(prepareFold), pruneAttempts: step(preparePrune) }),
    ...backlogSamples(
      sql,
      countingAllWaiting(() => current().connection),
    ),
    ...heartbeats(sql),
  };
}

type SumRow = readonly [
  tenant: string,
  minute: number,
  channel: string,
  latencyMs: number,
  writer: number,
  attempts: number,
  folded: number,
];

function prepareFold({ prepareRows, prepareBare }: QueryContext) {
  const unfolded = prepareRows<{ readonly before: Date }, SumRow>(`
    SELECT tenant, minute, channel, latency_ms, writer, attempts, CASE WHEN ${isOfLost("writer")} THEN ${FOLDED_LOST} ELSE ${FOLDED} END
    FROM belfry_attempt_sums
    WHERE minute < :before AND writer >= 0 ORDER BY minute LIMIT ${STEP}`);
  const add = prepareBare<[tenant: string, minute: number, channel: string, latencyMs: number, writer: number, attempts: number]>(`
    INSERT INTO belfry_attempt_sums (tenant, minute, channel, latency_ms, writer, attempts) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (tenant, minute, channel, latency_ms, writer) DO UPDATE SET attempts = attempts + excluded.attempts`);
  const remove = prepareBare<[tenant: string, minute: number, channel: string, latencyMs: number, writer: number]>(`
    DELETE FROM belfry_attempt_sums WHERE tenant = ? AND minute = ? AND channel = ? AND latency_ms = ? AND writer = ?`);
  return (before: Date): boolean => {
    const rows = unfolded.all({ before });
    for (const [tenant, minute, channel, latencyMs, writer, attempts, folded] of rows) {
      add.run(tenant, minute - (minute % HALF_HOUR_MS), channel, latencyMs, folded, attempts);
      remove.run(tenant, minute, channel, latencyMs, writer);
    }
    return rows.length === STEP;
  };
}

function preparePrune({ prepare }: QueryContext) {
  const prune = prepare<{ readonly before: Date }>(`
    DELETE FROM belfry_attempt_sums WHERE (tenant, minute, channel, latency_ms, writer) IN (
      SELECT tenant, minute, channel, latency_ms, writer FROM belfry_attempt_sums WHERE minute < :before ORDER BY minute LIMIT ${STEP})`);
  return (before: Date): boolean => prune.run({ before }).changes === STEP;
}
