import type { ActivityFilter, RetryRun } from "@belfry/core";
import type { RetryRunStorage, TakenRetryRun } from "@belfry/core/storage";
import { type Sql, selected } from "../database/sql.ts";
import { writingLine } from "./audit.ts";

interface RunRow extends Omit<TakenRetryRun, "filter" | "createdAt" | "endedAt"> {
  /** In JSON, with times in ISO 8601. */
  readonly filter: string;
  readonly createdAt: number;
  readonly endedAt: number | null;
}

/** Retry runs in a SQL database. */
export function retryRunStorage(sql: Sql): RetryRunStorage {
  return { ...keeping(sql), ...working(sql) };
}

function keeping(sql: Sql): Pick<RetryRunStorage, "add" | "list" | "find" | "move" | "prune" | "erase"> {
  const { retryRuns } = sql.tables;
  const columns = columnsOf(sql);
  const itsId = (parameter: `$${number}`) => `id = ${sql.cast(parameter, "uuid")}`;
  const counts = [7, 8, 9].map((place) => sql.cast(`$${place}`, "bigint"));
  const add = `INSERT INTO ${retryRuns} (id, tenant, filter, recipient, actor, state, matched, looked, retried, created_at, due_at, fence)
    SELECT ${sql.cast("$1", "uuid")}, ${["$2", "$3", "$4", "$5", "$6"].map((text) => sql.cast(text, "text")).join(", ")}, ${counts.join(", ")},
      ${sql.cast("$10", "timestamptz")}, ${sql.cast("$10", "timestamptz")}, 0
    WHERE (SELECT count(*) FROM ${retryRuns} WHERE tenant = ${sql.cast("$2", "text")} AND state IN ('running', 'paused')) < ${sql.cast("$11", "bigint")}
    RETURNING id`;
  const added = `SELECT r.id FROM ${retryRuns} r WHERE r.${itsId("$1")}`;
  const list = `SELECT ${columns} FROM ${retryRuns} WHERE tenant = $1 ORDER BY id DESC LIMIT $2`;
  const find = `SELECT ${columns} FROM ${retryRuns} WHERE tenant = $1 AND ${itsId("$2")}`;
  const move = `UPDATE ${retryRuns} SET state = $4, fence = fence + 1, due_at = ${sql.cast("$5", "timestamptz")},
      ended_at = CASE WHEN $4 = 'cancelled' THEN ${sql.cast("$5", "timestamptz")} END
    WHERE tenant = $1 AND ${itsId("$2")} AND ${sql.isIn("state", "$3", "text")} RETURNING id`;
  // Locks the run before the line is written: whoever else moves it waits.
  const moved = `SELECT r.id FROM ${retryRuns} r WHERE r.tenant = $1 AND r.${itsId("$2")} AND ${sql.isIn("r.state", "$3", "text")} ${sql.forUpdate("r")}`;
  const prune = `DELETE FROM ${retryRuns} WHERE ended_at < $1 RETURNING id`;
  const erase = [
    `DELETE FROM ${retryRuns} WHERE tenant = $1 AND recipient = $2`,
    `UPDATE ${retryRuns} SET actor = '' WHERE tenant = $1 AND actor = $2`,
  ];
  return {
    async add(tenant, { id, filter, actor, state, matched, looked, retried, createdAt }, { most, line }) {
      const lookedFor = filter.recipient ?? filter.user ?? filter.recipientPrefix ?? null;
      const described = [id, tenant, JSON.stringify(filter), lookedFor, actor];
      const values = [...described, state, matched, looked, retried, createdAt, most];
      const written = writingLine(sql, { tenant, line, at: createdAt }, { text: added, values: [id] });
      const [made = []] = await sql.together("add_retry_run", [{ text: add, values }, written]);
      return made.length > 0;
    },
    async list(tenant, limit) {
      return (await sql.rows<RunRow>("retry_runs", list, [tenant, limit])).map(shownRun);
    },
    async find(tenant, id) {
      const [row] = await sql.rows<RunRow>("retry_run", find, [tenant, id]);
      return row === undefined ? null : shownRun(row);
    },
    async move(tenant, id, { from, to, at, line }) {
      const values = [tenant, id, JSON.stringify(from)];
      const written = writingLine(sql, { tenant, line, at }, { text: moved, values });
      const [lines = []] = await sql.together("move_retry_run", [written, { text: move, values: [...values, to, at] }]);
      return lines.length > 0;
    },
    async prune(before) {
      await sql.rows("prune_retry_runs", prune, [before]);
    },
    async erase({ tenant, userId }) {
      await sql.inTransaction("erase_retry_runs", erase, [tenant, userId]);
    },
  };
}

function working(sql: Sql): Pick<RetryRunStorage, "take" | "advance" | "nextDueInMs"> {
  const { retryRuns } = sql.tables;
  const next = `SELECT r.id FROM ${retryRuns} r WHERE r.state = 'running' AND r.due_at <= $1 ORDER BY r.due_at LIMIT 1 ${sql.skipLocked("r")}`;
  const take = `UPDATE ${retryRuns} SET due_at = $2, fence = fence + 1 WHERE id = (${next}) RETURNING ${columnsOf(sql)}`;
  const at = sql.cast("$6", "timestamptz");
  const advance = `UPDATE ${retryRuns} SET after_id = coalesce(${sql.cast("$3", "uuid")}, after_id), looked = looked + $4, retried = retried + $5,
      due_at = ${at}, state = CASE WHEN ${sql.cast("$7", "boolean")} THEN 'finished' ELSE state END,
      ended_at = CASE WHEN ${sql.cast("$7", "boolean")} THEN ${at} END
    WHERE id = ${sql.cast("$1", "uuid")} AND fence = $2 AND state = 'running' RETURNING id`;
  const due = `SELECT ${sql.milliseconds("due_at")} AS "dueAt" FROM ${retryRuns} WHERE state = 'running' ORDER BY due_at LIMIT 1`;
  return {
    async take(now, leaseMs) {
      const [row] = await sql.rows<RunRow>("take_retry_run", take, [now, new Date(now.getTime() + leaseMs)]);
      return row === undefined ? null : toRun(row);
    },
    async advance({ id, fence }, { after, retried, isOver, leaseMs, at: now }) {
      const until = new Date(now.getTime() + leaseMs);
      const values = [id, fence, after, after === null ? 0 : 1, retried ? 1 : 0, until, isOver ? 1 : 0];
      return (await sql.rows("advance_retry_run", advance, values)).length > 0;
    },
    async nextDueInMs(now) {
      const [row] = await sql.rows<{ readonly dueAt: number }>("next_retry_run", due, []);
      return row === undefined ? null : Math.max(0, row.dueAt - now.getTime());
    },
  };
}

function columnsOf(sql: Sql): string {
  return selected({
    ...{ id: "id", tenant: "tenant", filter: "filter", actor: "actor", state: "state" },
    ...{ matched: "matched", looked: "looked", retried: "retried", after: "after_id", fence: "fence" },
    ...{ createdAt: sql.milliseconds("created_at"), endedAt: sql.milliseconds("ended_at") },
  });
}

function toRun({ filter, createdAt, endedAt, ...row }: RunRow): TakenRetryRun {
  return { ...row, filter: toFilter(filter), createdAt: new Date(createdAt), endedAt: endedAt === null ? null : new Date(endedAt) };
}

/** A run without what only who works on it needs. */
function shownRun(row: RunRow): RetryRun {
  const { tenant: _, after: __, fence: ___, ...run } = toRun(row);
  return run;
}

/** A filter from JSON: its times are texts there. */
function toFilter(json: string): ActivityFilter {
  const { from, before, ...filter } = JSON.parse(json) as Omit<ActivityFilter, "from" | "before"> & { from?: string; before?: string };
  return {
    ...filter,
    ...(from === undefined ? {} : { from: new Date(from) }),
    ...(before === undefined ? {} : { before: new Date(before) }),
  };
}
