import type { ActivityFilter, ActivitySummary } from "@belfry/core";
import type { ActivityQuery } from "@belfry/core/storage";
import {
  type ConditionName,
  type Conditions,
  conditionsOf,
  isOfId,
  MAX_GATHERED,
  namesOf,
  SearchText,
  type SummaryRow,
  suitableWays,
  summaryColumns,
  toSummary,
  type WayName,
} from "@belfry/storage-sql";
import type { Session } from "../database/connection.ts";
import { DIALECT, stored } from "../database/sql.ts";
import { type JsonRow, memoized, type Statement, scanLimit, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** Which notifications a statement looks at: all of a tenant's, newest first, or those along ways. */
interface Source {
  readonly names: readonly ConditionName[];
  readonly ways: readonly WayName[] | null;
}

/** How many a statement is to find: `limit` as SQL, and the same or a little more as a literal, for the planner to see. */
interface Bound {
  readonly limit: string;
  readonly scan: string;
}

/** Finds notifications. */
export function prepareSearch(tables: TableNames) {
  const choose = prepareChoice(tables);
  const page = prepareBySource((source, scan) => pageStatement(tables, source, scan));
  return (tenant: string, { after, limit, ...filter }: ActivityQuery) =>
    async (session: Session): Promise<readonly ActivitySummary[]> => {
      const conditions = conditionsOf(filter, after);
      const source = await choose(session, tenant, conditions);
      const rows = await session.rows(page(source, String(scanLimit(limit))), [...valuesOf(tenant, conditions, source), limit]);
      return rows.map(([row]) => toSummary(row));
    };
}

/** Counts notifications. */
export function prepareCount(tables: TableNames) {
  const choose = prepareChoice(tables);
  const count = prepareBySource((source, max) => countStatement(tables, source, max));
  return (tenant: string, filter: ActivityFilter, max: number) =>
    async (session: Session): Promise<number> => {
      const conditions = conditionsOf(filter);
      const source = await choose(session, tenant, conditions);
      const [[found] = [0]] = await session.rows(count(source, String(max)), valuesOf(tenant, conditions, source));
      return found;
    };
}

function valuesOf(tenant: string, conditions: Conditions, { names }: Source): readonly unknown[] {
  return stored([tenant, ...names.map((name) => conditions[name])]);
}

/** Makes a statement for each combination of conditions, ways and scan that is asked for. */
function prepareBySource<Row extends readonly unknown[]>(make: (source: Source, scan: string) => Statement<Row>) {
  const made = memoized((key: string) => {
    const [source, scan] = JSON.parse(key) as [Source, string];
    return make(source, scan);
  });
  return (source: Source, scan: string): Statement<Row> => made(JSON.stringify([source, scan]));
}

/** Decides where to look: along the first ways that lead to little else, or along everything. */
function prepareChoice(tables: TableNames) {
  const size = memoized((key: string) => {
    const { names, ways } = JSON.parse(key) as { readonly names: readonly ConditionName[]; readonly ways: readonly WayName[] };
    const parts = ways.map((way) => `(SELECT count(*) FROM ${keysAlong(way, new SearchText(names, DIALECT, tables))} t)`);
    // Every parameter has to be there, and of a type, whether the ways ask for it or not.
    const parameters = names.map((_, index) => `$${index + 2}::text`).join(", ");
    return statement<[size: number]>("activity_ways", `SELECT ${parts.join(" + ")} FROM (SELECT ${parameters}) p`);
  });
  return async (session: Session, tenant: string, conditions: Conditions): Promise<Source> => {
    const names = namesOf(conditions);
    for (const ways of suitableWays(conditions)) {
      const source = { names, ways };
      const [[entries] = [0]] = await session.rows(size(JSON.stringify(source)), valuesOf(tenant, conditions, source));
      if (entries <= MAX_GATHERED) {
        return source;
      }
    }
    return { names, ways: null };
  };
}

/**
 * The keys of the notifications along a way. It is read in the order of its index, and no further than to one more than
 * are gathered: else the planner might read the table, which may be other tenants' for the most.
 */
function keysAlong(name: WayName, text: SearchText): string {
  const { table, where, order } = text.way(name);
  return `(SELECT t.notification_pk FROM ${table} t WHERE ${where} ORDER BY ${order[0]} DESC LIMIT ${MAX_GATHERED + 1})`;
}

/**
 * The keys of what matches, newest first. Walked along, the notifications come in the order of their ids, and the scan
 * ends with the last one that is wanted: a sort would look at all of them first. Gathered ones are looked up by key. The
 * fences (OFFSET 0) keep the planner from reading the table instead.
 */
function keysOf(tables: TableNames, { names, ways }: Source, { scan, limit }: Bound): string {
  const columns = "pk, id, tenant, kind, type, source, sender, created_at";
  const text = new SearchText(names, DIALECT, tables);
  if (ways === null) {
    return `SELECT n.pk, n.id FROM (
      SELECT ${columns} FROM ${tables.notifications} n WHERE ${text.matches(names.filter(isOfId))} ORDER BY id DESC OFFSET 0) n
      WHERE ${text.matches()} LIMIT ${scan}`;
  }
  const keys = ways.map((way) => keysAlong(way, text));
  return `SELECT n.pk, n.id FROM (SELECT DISTINCT notification_pk FROM (${keys.join(" UNION ALL ")}) t OFFSET 0) t
    CROSS JOIN LATERAL (SELECT ${columns} FROM ${tables.notifications} WHERE pk = t.notification_pk OFFSET 0) n
    WHERE ${text.matches()} ORDER BY n.id DESC LIMIT ${limit}`;
}

/** The notifications and their sends are looked up by key: the fences (OFFSET 0) keep the planner from reading the tables. */
function pageStatement(tables: TableNames, source: Source, scan: string): Statement<JsonRow<SummaryRow>> {
  const limit = `$${source.names.length + 2}`;
  return statement(
    "search_activity",
    `WITH k AS MATERIALIZED (${keysOf(tables, source, { scan, limit })}),
    p AS MATERIALIZED (SELECT pk, id FROM k ORDER BY id DESC LIMIT ${limit})
    SELECT to_json(r) FROM (
      SELECT ${summaryColumns(DIALECT, tables)} FROM p
      CROSS JOIN LATERAL (SELECT * FROM ${tables.notifications} WHERE pk = p.pk OFFSET 0) n
      LEFT JOIN LATERAL (SELECT * FROM ${tables.trackings} WHERE notification_pk = p.pk OFFSET 0) t ON true
      LEFT JOIN LATERAL (SELECT * FROM ${tables.sends} WHERE notification_pk = p.pk OFFSET 0) s ON true ORDER BY p.id DESC) r`,
  );
}

function countStatement(tables: TableNames, source: Source, max: string): Statement<readonly [count: number]> {
  return statement("count_activity", `SELECT count(*) FROM (${keysOf(tables, source, { scan: max, limit: max })}) k`);
}
