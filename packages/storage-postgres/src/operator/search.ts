import type { ActivityFilter, ActivitySummary } from "@belfry/core";
import { type ActivityQuery, idRange } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { type JsonRow, memoized, type Statement, scanLimit, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { joinSummary, type SummaryRow, summaryColumns, toSummary } from "./summaries.ts";

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

/** The conditions that a statement can contain, each with its own parameter. */
export type ConditionName = keyof ActivityFilter | "below" | "lowest";

/** The values of those conditions that are asked for. */
export type Conditions = Readonly<Partial<Record<ConditionName, string>>>;

/** The conditions of a filter, and of the part of a search that is older than the notification `after`. */
export function conditionsOf({ from, before, ...filter }: ActivityFilter, after?: string): Conditions {
  const range = idRange({ ...(from === undefined ? {} : { from }), ...(before === undefined ? {} : { before }) });
  const below = after !== undefined && (range.below === null || after < range.below) ? after : range.below;
  return {
    ...filter,
    ...(from === undefined ? {} : { from: from.toISOString() }),
    ...(before === undefined ? {} : { before: before.toISOString() }),
    ...(below === null ? {} : { below }),
    ...(range.lowest === null ? {} : { lowest: range.lowest }),
  };
}

/** The names of conditions, in the order in which statements take their values after $1, the tenant. */
export function namesOf(conditions: Conditions): readonly ConditionName[] {
  return (Object.keys(conditions) as ConditionName[]).filter((name) => conditions[name] !== undefined).sort();
}

/** The parameter of the condition `name`. */
export function parameterOf(name: ConditionName, names: readonly ConditionName[]): `$${number}` {
  return `$${names.indexOf(name) + 2}`;
}

/** Whether a condition says which ids to look at. */
export function isOfId(name: ConditionName): boolean {
  return name === "id" || name === "below" || name === "lowest";
}

/** The tenant and `conditions` as SQL over the notification `n`, in a statement whose parameters are those of `names`. */
export function allOf(tables: TableNames, conditions: readonly ConditionName[], names = conditions): string {
  return ["n.tenant = $1", ...conditions.map((name) => condition(tables, name, parameterOf(name, names)))].join(" AND ");
}

/**
 * Conditions on other tables stand where the planner cannot turn them into a join. They are looked up by key for one
 * notification after another, until enough have matched.
 */
function condition({ trackings, sends, deliveries, inboxItems }: TableNames, name: ConditionName, value: string): string {
  const conditions: Readonly<Record<ConditionName, string>> = {
    id: `n.id = ${value}::uuid`,
    below: `n.id < ${value}::uuid`,
    lowest: `n.id >= ${value}::uuid`,
    kind: `n.kind = ${value}`,
    type: `CASE n.kind WHEN 'event' THEN n.source ELSE n.type END = ${value}`,
    from: `n.created_at >= ${value}::timestamptz`,
    before: `n.created_at < ${value}::timestamptz`,
    status: `(SELECT t.status FROM ${trackings} t WHERE t.notification_pk = n.pk) = ${value}`,
    channel: `CASE n.kind
      WHEN 'message' THEN ${value} = 'inbox'
      WHEN 'send' THEN coalesce((SELECT t.channel FROM ${trackings} t WHERE t.notification_pk = n.pk) = ${value}
        OR (SELECT s.channels::jsonb ? ${value} FROM ${sends} s WHERE s.notification_pk = n.pk)
        OR (SELECT d.channel FROM ${deliveries} d WHERE d.notification_pk = n.pk AND d.is_fallback LIMIT 1) = ${value}, false)
      ELSE false END`,
    recipient: `CASE n.kind
      WHEN 'event' THEN n.sender = ${value}
      ELSE EXISTS (SELECT FROM ${inboxItems} i WHERE i.notification_pk = n.pk AND i.user_id = ${value})
        OR EXISTS (SELECT FROM ${deliveries} d WHERE d.tenant = $1 AND d.recipient = ${value} AND d.notification_pk = n.pk) END`,
  };
  return conditions[name];
}

/** An index along which notifications are found. One that is found twice is the same one. */
export type WayName = "deliveries" | "events" | "eventsOfSender" | "eventsOfSource" | "items" | "sends" | "sendsOfStatus";

/** Which ways lead to everything that matches, those that should be shortest first. */
export function suitableWays({ id, recipient, status, kind, channel, type }: Conditions): readonly (readonly WayName[])[] {
  const onlySends = kind === "send" || status !== undefined || (channel !== undefined && channel !== "inbox");
  const choices: readonly (readonly [isSuitable: boolean, ways: readonly WayName[]])[] = [
    [recipient !== undefined, ["deliveries", "items", "eventsOfSender"]],
    [status !== undefined, ["sendsOfStatus"]],
    [onlySends && status === undefined, ["sends"]],
    [kind === "event" && type !== undefined, ["eventsOfSource"]],
    [kind === "event" && type === undefined, ["events"]],
  ];
  // One id is found without any of them.
  return id === undefined ? choices.filter(([isSuitable]) => isSuitable).map(([, ways]) => ways) : [];
}

/**
 * The keys of the notifications along a way, as SQL; $1 is the tenant. It is read in the order of its index, and no
 * further than to one more than `max`: else the planner might read the table, which may be other tenants' for the most.
 */
export function keysAlong(
  way: WayName,
  tables: TableNames,
  { names, max }: { readonly names: readonly ConditionName[]; readonly max: number },
): string {
  const value = (name: ConditionName) => parameterOf(name, names);
  const keys = (table: string, order: string, condition: string) =>
    `(SELECT t.notification_pk FROM ${table} t WHERE t.tenant = $1${condition} ORDER BY ${order} LIMIT ${max + 1})`;
  const byTime = (table: string, time: string, condition = "") => {
    const from = names.includes("from") ? ` AND t.${time} >= ${value("from")}::timestamptz` : "";
    const before = names.includes("before") ? ` AND t.${time} < ${value("before")}::timestamptz` : "";
    return keys(table, `t.${time} DESC`, `${condition}${from}${before}`);
  };
  const ways: Readonly<Record<WayName, () => string>> = {
    deliveries: () => keys(tables.deliveries, "t.notification_pk DESC", ` AND t.recipient = ${value("recipient")}`),
    items: () => keys(tables.inboxItems, "t.seq DESC", ` AND t.user_id = ${value("recipient")}`),
    sends: () => byTime(tables.trackings, "created_at"),
    sendsOfStatus: () => byTime(tables.trackings, "created_at", ` AND t.status = ${value("status")}`),
    events: () => byTime(tables.events, "received_at"),
    eventsOfSender: () => byTime(tables.events, "received_at", ` AND t.sender = ${value("recipient")}`),
    eventsOfSource: () => byTime(tables.events, "received_at", ` AND t.source = ${value("type")}`),
  };
  return ways[way]();
}
