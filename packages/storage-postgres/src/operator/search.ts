import type { ActivityFilter, ActivitySummary } from "@belfry/core";
import type { ActivityQuery } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import type { JsonRow } from "../database/json-rows.ts";
import { memoized } from "../database/memoized.ts";
import { scanLimit } from "../database/page-scan.ts";
import { type Statement, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { allOf, type ConditionName, type Conditions, conditionsOf, isOfId, namesOf } from "./conditions.ts";
import { joinSummary, type SummaryRow, summaryColumns, toSummary } from "./summaries.ts";
import { keysAlong, suitableWays, type WayName } from "./ways.ts";

/** Ways with more entries than this are not followed to their end and sorted: so many are met soon enough while walking. */
const MAX_GATHERED = 20_000;

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
  return [tenant, ...names.map((name) => conditions[name])];
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
    const parts = ways.map((way) => `(SELECT count(*) FROM ${keysAlong(way, tables, { names, max: MAX_GATHERED })} t)`);
    // Every parameter has to be there, and of a type, whether the ways ask for it or not.
    const parameters = names.map((_, index) => `$${index + 2}::text`).join(", ");
    return statement<[size: number]>("activity_ways", `SELECT ${parts.join(" + ")} FROM (SELECT ${parameters}) p`);
  });
  return async (session: Session, tenant: string, conditions: Conditions): Promise<Source> => {
    const names = namesOf(conditions);
    for (const ways of suitableWays(conditions)) {
      const [[entries] = [0]] = await session.rows(size(JSON.stringify({ names, ways })), [
        tenant,
        ...names.map((name) => conditions[name]),
      ]);
      if (entries <= MAX_GATHERED) {
        return { names, ways };
      }
    }
    return { names, ways: null };
  };
}

/**
 * The keys of what matches, newest first. Walked along, the notifications come in the order of their ids, and the scan
 * ends with the last one that is wanted: a sort would look at all of them first. Gathered ones are looked up by key. The
 * fences (OFFSET 0) keep the planner from reading the table instead.
 */
function keysOf(tables: TableNames, { names, ways }: Source, { scan, limit }: Bound): string {
  const columns = "pk, id, tenant, kind, type, source, sender, created_at";
  const where = allOf(tables, names);
  if (ways === null) {
    return `SELECT n.pk, n.id FROM (
      SELECT ${columns} FROM ${tables.notifications} n WHERE ${allOf(tables, names.filter(isOfId), names)} ORDER BY id DESC OFFSET 0) n
      WHERE ${where} LIMIT ${scan}`;
  }
  const keys = ways.map((way) => keysAlong(way, tables, { names, max: MAX_GATHERED }));
  return `SELECT n.pk, n.id FROM (SELECT DISTINCT notification_pk FROM (${keys.join(" UNION ALL ")}) t OFFSET 0) t
    CROSS JOIN LATERAL (SELECT ${columns} FROM ${tables.notifications} WHERE pk = t.notification_pk OFFSET 0) n
    WHERE ${where} ORDER BY n.id DESC LIMIT ${limit}`;
}

function pageStatement(tables: TableNames, source: Source, scan: string): Statement<JsonRow<SummaryRow>> {
  const limit = `$${source.names.length + 2}`;
  return statement(
    "search_activity",
    `WITH k AS MATERIALIZED (${keysOf(tables, source, { scan, limit })}),
    p AS MATERIALIZED (SELECT pk, id FROM k ORDER BY id DESC LIMIT ${limit})
    SELECT to_json(r) FROM (SELECT ${summaryColumns(tables)} FROM p ${joinSummary(tables, "p.pk")} ORDER BY p.id DESC) r`,
  );
}

function countStatement(tables: TableNames, source: Source, max: string): Statement<readonly [count: number]> {
  return statement("count_activity", `SELECT count(*) FROM (${keysOf(tables, source, { scan: max, limit: max })}) k`);
}
