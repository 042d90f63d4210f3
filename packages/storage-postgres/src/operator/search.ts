import type { ActivityStorage } from "@belfry/core/storage";
import {
  type Conditions,
  conditionsOf,
  isCut,
  isOfWalk,
  lookingUp,
  MAX_GATHERED,
  type SearchText,
  type Sql,
  type SummaryRow,
  searchText,
  suitableWays,
  summaryColumns,
  type Tables,
  toSummary,
  type WayName,
} from "@belfry/storage-sql";
import { scanLimit } from "../database/statement.ts";

/** Which notifications a statement looks at: all of a tenant's, newest first, or those along ways. */
interface Source {
  readonly text: SearchText;
  readonly ways: readonly WayName[] | null;
}

/** How many a statement must find: `limit` as SQL, and the same or a little more as a literal, which the planner sees. */
interface Bound {
  readonly limit: string;
  readonly scan: string;
}

/** The operator's search in PostgreSQL. */
export function activitySearch(sql: Sql): Pick<ActivityStorage, "search" | "count" | "recipientsLike"> {
  return lookingUp(sql, {
    async search(tenant, { after, limit, ...filter }) {
      const source = await choose(sql, tenant, conditionsOf(filter, after));
      const bound = { limit: `$${source.text.values.length + 1}`, scan: String(scanLimit(limit)) };
      const rows = await sql.rows<SummaryRow>("search_activity", pageText(sql, source, bound), [...source.text.values, limit]);
      return rows.map(toSummary);
    },
    async count(tenant, filter, max) {
      const source = await choose(sql, tenant, conditionsOf(filter));
      const keys = keysOf(sql.tables, source, { scan: String(max), limit: String(max) });
      const count = `SELECT count(*) AS found FROM (${keys}) k`;
      const [row] = await sql.rows<{ readonly found: number }>("count_activity", count, source.text.values);
      return row?.found ?? 0;
    },
  });
}

/** Decides where to look: along the first ways that lead to little else, or along everything. */
async function choose(sql: Sql, tenant: string, conditions: Conditions): Promise<Source> {
  const text = searchText(tenant, conditions, sql);
  const { names, values } = text;
  // Names every parameter with a type, whether the ways use it or not.
  const parameters = names.map((_, index) => `$${index + 2}::text`).join(", ");
  for (const ways of suitableWays(conditions)) {
    const sizes = ways.map((way) => `(SELECT count(*) FROM ${keysAlong(way, text)} t)`);
    const size = `SELECT ${sizes.join(" + ")} AS entries FROM (SELECT ${parameters}) p`;
    const [row] = await sql.rows<{ readonly entries: number }>("activity_ways", size, values);
    if (row !== undefined && (row.entries <= MAX_GATHERED || isCut(ways))) {
      return { text, ways };
    }
  }
  return { text, ways: null };
}

/**
 * The keys of the notifications along a way. It reads in the order of the index, up to one more than are gathered: else
 * the planner might read the table, most of which may be other tenants'.
 */
function keysAlong(name: WayName, text: SearchText): string {
  const { table, where, order } = text.way(name);
  return `(SELECT t.notification_pk FROM ${table} t WHERE ${where} ORDER BY ${order[0]} DESC LIMIT ${MAX_GATHERED + 1})`;
}

/**
 * The keys of all matches, newest first. A walk reads notifications in the order of their ids and ends with the last one
 * that is wanted: a sort would look at all of them first. Gathered ones are looked up by key. The fences (OFFSET 0) keep
 * the planner from reading the table instead.
 */
function keysOf({ notifications }: Tables, { text, ways }: Source, { scan, limit }: Bound): string {
  const columns = "pk, id, tenant, kind, type, source, sender, created_at";
  if (ways === null) {
    return `SELECT n.pk, n.id FROM (
      SELECT ${columns} FROM ${notifications} n WHERE ${text.matches(text.names.filter(isOfWalk))} ORDER BY id DESC OFFSET 0) n
      WHERE ${text.matches()} LIMIT ${scan}`;
  }
  const keys = ways.map((way) => keysAlong(way, text));
  return `SELECT n.pk, n.id FROM (SELECT DISTINCT notification_pk FROM (${keys.join(" UNION ALL ")}) t OFFSET 0) t
    CROSS JOIN LATERAL (SELECT ${columns} FROM ${notifications} WHERE pk = t.notification_pk OFFSET 0) n
    WHERE ${text.matches(text.notMetBy(ways))} AND ${allNamed(text)} ORDER BY n.id DESC LIMIT ${limit}`;
}

/** Names every parameter, so that each has a type, whether a condition uses it or not. */
function allNamed({ names }: SearchText): string {
  return ["true", ...names.map((_, index) => `($${index + 2}::text IS NOT NULL)`)].join(" AND ");
}

/** The notifications and their sends are looked up by key: the fences (OFFSET 0) keep the planner from reading the tables. */
function pageText(sql: Sql, source: Source, bound: Bound): string {
  const { notifications, trackings, sends } = sql.tables;
  return `WITH k AS MATERIALIZED (${keysOf(sql.tables, source, bound)}),
    p AS MATERIALIZED (SELECT pk, id FROM k ORDER BY id DESC LIMIT ${bound.limit})
    SELECT ${summaryColumns(sql, sql.tables)} FROM p
    CROSS JOIN LATERAL (SELECT * FROM ${notifications} WHERE pk = p.pk OFFSET 0) n
    LEFT JOIN LATERAL (SELECT * FROM ${trackings} WHERE notification_pk = p.pk OFFSET 0) t ON true
    LEFT JOIN LATERAL (SELECT * FROM ${sends} WHERE notification_pk = p.pk OFFSET 0) s ON true ORDER BY p.id DESC`;
}
