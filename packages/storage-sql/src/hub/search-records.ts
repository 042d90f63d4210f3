import type { RecordFilter, RecordState, RecordSummary } from "@belfry/core";
import type { HubStorage, RecordPlace, RecordQuery, RecordsFound } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";
import { hubRows, type RecordRow, toSourceRecord } from "./rows.ts";

/** How many records, or events, a part of a search looks at. */
const RECORDS_AT_ONCE = 1_000;
const EVENTS_AT_ONCE = 100;
const PROMPT_LENGTH = 500;
const EXCERPT_LENGTH = 200;
/** Before every record: later than all times, and above all keys. */
const START: RecordPlace = [Date.UTC(9999, 0), Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

const STATE = `CASE r.status WHEN 'COMPLETED' THEN 'completed' WHEN 'FAILED' THEN 'failed' WHEN 'PROCESSING' THEN 'running'
  ELSE CASE WHEN r.attempt > 0 THEN 'retrying' ELSE 'due' END END`;

/** A record that was looked at, and its place. */
interface LookedRow {
  readonly first: number;
  readonly second: number;
  readonly pk: number;
  readonly matches: boolean | 0 | 1;
}

/** Records that were looked at, in order, and where to look on; null at the end. */
interface Looked extends Pick<RecordsFound, "next"> {
  readonly rows: readonly LookedRow[];
}

interface FoundRow extends RecordRow {
  readonly state: RecordState;
  readonly dueAt: number | null;
  readonly sender: string;
  readonly excerpt: string;
}

/** Finding processing records, and having them run again. */
export function recordSearch(sql: Sql): Pick<HubStorage, "searchRecords" | "retryRecord"> {
  const { events, notifications, processingRecords } = sql.tables;
  const read = `SELECT ${hubRows(sql, sql.tables).record}, ${STATE} AS state, ${sql.milliseconds("r.due_at")} AS "dueAt", e.sender,
      substr(n.message, 1, ${EXCERPT_LENGTH}) AS excerpt
    FROM ${processingRecords} r ${sql.join} ${notifications} n ON n.pk = r.notification_pk ${sql.join} ${events} e ON e.notification_pk = r.notification_pk
    WHERE r.tenant = $1 AND ${sql.isIn("r.pk", "$2", "bigint")}`;
  const retry = `UPDATE ${processingRecords} SET status = 'PENDING', attempt = 0, due_at = created_at, completed_at = NULL
    WHERE tenant = $1 AND id = ${sql.cast("$2", "uuid")} AND (status = 'FAILED' OR (status = 'PENDING' AND attempt > 0)) RETURNING id`;
  return {
    async searchRecords(tenant, query) {
      const queue = queueOf(query);
      const { pks, next } = chosen(
        queue === null ? await lookByEvents(sql, tenant, query) : await lookAlong(sql, { tenant, queue }, query),
        query,
      );
      const rows = pks.length === 0 ? [] : await sql.rows<FoundRow>("read_found_records", read, [tenant, JSON.stringify(pks)]);
      const byPk = new Map(rows.map((row) => [row.pk, row]));
      return { records: pks.flatMap((pk) => byPk.get(pk) ?? []).map(toSummary), next };
    },
    async retryRecord(tenant, id) {
      return (await sql.rows("retry_record", retry, [tenant, id])).length > 0;
    },
  };
}

/** The index of a state alone; null for records that are found by their events, since no index has those that went well. */
function queueOf({ state }: Pick<RecordFilter, "state">): Queue | null {
  return state === undefined || state === "completed" ? null : QUEUES[state];
}

/** The records of a state that has an index of its own: where they are, and a time that orders them, if one does. */
interface Queue {
  readonly where: string;
  readonly time: "r.due_at" | "r.lease_until" | null;
  /** Whether the index has those of all tenants. */
  readonly isShared?: true;
}

const QUEUES: Readonly<Record<Exclude<RecordState, "completed">, Queue>> = {
  due: { where: "r.status = 'PENDING'", time: "r.due_at" },
  running: { where: "r.lease_owner IS NOT NULL", time: "r.lease_until", isShared: true },
  retrying: { where: "r.status = 'PENDING' AND r.attempt > 0", time: null },
  failed: { where: "r.status = 'FAILED'", time: null },
};

/** Looks at the next records along the index of a state. */
async function lookAlong(
  sql: Sql,
  { tenant, queue }: { readonly tenant: string; readonly queue: Queue },
  query: RecordQuery,
): Promise<Looked> {
  const [first, second] = [sql.cast("$2", "timestamptz"), sql.cast("$3", "bigint")];
  const { where, time, isShared } = queue;
  const { matches, values } = conditionsOf(sql, query, 4);
  const [behind, order] =
    time === null ? [`r.pk < ${second}`, "r.pk DESC"] : [`(${time}, r.pk) < (${first}, ${second})`, `${time} DESC, r.pk DESC`];
  // Names every parameter, so that each has a type.
  const text = `SELECT ${time === null ? "0" : sql.milliseconds(time)} AS first, 0 AS second, r.pk, coalesce(${matches}, false) AS matches
    FROM ${sql.tables.processingRecords} r
    WHERE ${isShared ? sql.unindexed("r.tenant") : "r.tenant"} = $1 AND ${where} AND ${behind} AND ${first} IS NOT NULL
    ORDER BY ${order} LIMIT ${RECORDS_AT_ONCE}`;
  const [timeMs, , pk] = query.after ?? START;
  const rows = await sql.rows<LookedRow>("look_at_records", text, [tenant, new Date(timeMs), pk, ...values]);
  return { rows, next: rows.length < RECORDS_AT_ONCE ? null : placeOf(rows.at(-1)) };
}

/** Looks at the records of the next events, and of the one that a page ended within. */
async function lookByEvents(sql: Sql, tenant: string, query: RecordQuery): Promise<Looked> {
  const [timeMs, eventPk, before] = query.after ?? START;
  const place = `(${sql.cast("$2", "timestamptz")}, ${sql.cast("$3", "bigint")})`;
  const next = `SELECT ${sql.milliseconds("e.received_at")} AS "receivedAt", e.notification_pk AS pk FROM ${sql.tables.events} e
    WHERE e.tenant = $1 AND (e.received_at, e.notification_pk) <= ${place} ORDER BY e.received_at DESC, e.notification_pk DESC LIMIT ${EVENTS_AT_ONCE}`;
  type EventKey = { readonly receivedAt: number; readonly pk: number };
  const events = await sql.rows<EventKey>("look_at_events", next, [tenant, new Date(timeMs), eventPk]);
  const { matches, values } = conditionsOf(sql, query, 3);
  const ofEvents = `SELECT r.notification_pk AS second, r.pk, coalesce(${matches}, false) AS matches FROM ${sql.tables.processingRecords} r
    WHERE r.tenant = $1 AND ${sql.isIn("r.notification_pk", "$2", "bigint")}`;
  const pks = JSON.stringify(events.map(({ pk }) => pk));
  const found = await sql.rows<Omit<LookedRow, "first">>("look_at_records_of_events", ofEvents, [tenant, pks, ...values]);
  const byEvent = Map.groupBy(
    found.toSorted((left, right) => right.pk - left.pk),
    ({ second }) => second,
  );
  const rows = events.flatMap(({ pk, receivedAt }) => (byEvent.get(pk) ?? []).map((row) => ({ ...row, first: receivedAt })));
  const last = events.length < EVENTS_AT_ONCE ? undefined : events.at(-1);
  return {
    rows: rows.filter(({ second, pk }) => second !== eventPk || pk < before),
    next: last === undefined ? null : [last.receivedAt, last.pk, 0],
  };
}

function placeOf(row: LookedRow | undefined): RecordPlace | null {
  return row === undefined ? null : [row.first, row.second, row.pk];
}

/** The conditions on a record `r`, with their values, which are the parameters from `start` on. */
function conditionsOf(
  sql: Sql,
  { state, source, handlerId, error, from, before }: RecordFilter,
  start: number,
): { readonly matches: string; readonly values: readonly unknown[] } {
  const conditions: readonly (readonly [value: string | Date | undefined, condition: (parameter: `$${number}`) => string])[] = [
    [state, (given) => `${STATE} = ${given}`],
    [source, (given) => `r.source = ${given}`],
    [handlerId?.toLowerCase(), (given) => `r.handler_id = ${sql.cast(given, "uuid")}`],
    [error, (given) => sql.contains("lower(coalesce(r.error, ''))", `lower(${given})`)],
    [from, (given) => `r.created_at >= ${sql.cast(given, "timestamptz")}`],
    [before, (given) => `r.created_at < ${sql.cast(given, "timestamptz")}`],
  ];
  const given = conditions.filter(([value]) => value !== undefined);
  const matches = given.map(([, condition], index) => condition(`$${index + start}`));
  return { matches: ["true", ...matches].join(" AND "), values: given.map(([value]) => value) };
}

/** Chooses what a page shows of what was looked at, and where to look on. */
function chosen({ rows, next }: Looked, { limit }: RecordQuery): Pick<RecordsFound, "next"> & { readonly pks: readonly number[] } {
  const shown = rows.filter(({ matches }) => Boolean(matches)).slice(0, limit);
  const last = shown.at(-1);
  const isCut = shown.length === limit && last !== rows.at(-1);
  return { pks: shown.map(({ pk }) => pk), next: isCut ? placeOf(last) : next };
}

function toSummary(row: FoundRow): RecordSummary {
  const { result: _, ...record } = toSourceRecord(row);
  const { state, dueAt, sender, excerpt } = row;
  const prompt = [...record.prompt.slice(0, 2 * PROMPT_LENGTH)].slice(0, PROMPT_LENGTH).join("");
  return { ...record, prompt, state, dueAt: dueAt === null ? null : new Date(dueAt), sender, excerpt };
}
