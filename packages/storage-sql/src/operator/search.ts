import type { DeliveryState } from "@belfry/core";
import { BY_OPERATOR, idRange } from "@belfry/core/storage";
import type { Dialect, Tables } from "../database/sql.ts";
import { stateOf } from "../delivery/state.ts";
import { MAX_TEXT, type SqlFilter } from "./look-ups.ts";

/** A search does not gather and sort a way with more entries than this: a walk finds so many matches soon enough. */
export const MAX_GATHERED = 20_000;

/** How many deliveries of a notification a condition looks at. */
const LOOKED_AT = 1_000;

/** A condition of a search. Each one in use has its own parameter. */
export type ConditionName = keyof SqlFilter | "below" | "lowest";

/** The values of the conditions in use: a filter, and the range of ids. */
export type Conditions = SqlFilter & { readonly below?: string; readonly lowest?: string };

/** The conditions of a filter, for notifications older than `after` if it is given. */
export function conditionsOf(filter: SqlFilter, after?: string): Conditions {
  const { lowest, below: end } = idRange(filter);
  const below = after !== undefined && (end === null || after < end) ? after : end;
  return { ...filter, ...(below === null ? {} : { below }), ...(lowest === null ? {} : { lowest }) };
}

/** Whether a condition is part of the index along which a walk goes: it leaves out what does not meet it, and looks at none of that. */
export function isOfWalk(name: ConditionName): boolean {
  return name === "id" || name === "below" || name === "lowest" || name === "type";
}

/** The SQL of searches with some conditions: $1 is the tenant, their values follow. */
export interface SearchText {
  /** The names of the conditions, in the order of their values. */
  readonly names: readonly ConditionName[];
  /** The values: the tenant, then those of the conditions. */
  readonly values: readonly unknown[];
  /** Whether the notification `n` is the tenant's and meets conditions, all of them by default. */
  matches(conditions?: readonly ConditionName[]): string;
  /** The conditions that what is found along ways may not meet. */
  notMetBy(ways: readonly WayName[]): readonly ConditionName[];
  way(name: WayName): Way;
}

/** Puts a search of a tenant's notifications into SQL. */
export function searchText(tenant: string, conditions: Conditions, sql: Dialect & { readonly tables: Tables }): SearchText {
  const names = (Object.keys(conditions) as ConditionName[]).filter((name) => conditions[name] !== undefined).sort();
  const value = (name: ConditionName): `$${number}` => `$${names.indexOf(name) + 2}`;
  const texts = conditionTexts(sql, value);
  return {
    names,
    values: [tenant, ...names.map((name) => storable(conditions[name]))],
    matches: (some = names) => ["n.tenant = $1", ...some.map((name) => texts[name])].join(" AND "),
    notMetBy: (ways) => names.filter((name) => !ways.some((way) => isOfName(way) && way.list === name)),
    way: (name) => (isOfName(name) ? wayOfName(sql, value(name.list), name) : wayTexts(sql, names)[name]),
  };
}

/** A value as a parameter: a flag as a number, which every driver takes, and a list as JSON. */
function storable(value: Conditions[ConditionName]): unknown {
  return Array.isArray(value) ? JSON.stringify(value) : value === true ? 1 : value;
}

/** The deliveries, items or events of one name out of a list of recipients, or of all names with one beginning. */
function wayOfName({ asJson, tables }: Dialect & { readonly tables: Tables }, list: `$${number}`, { of, list: kind, place }: NameWay): Way {
  const { deliveries, inboxItems, events } = tables;
  const name = `(${asJson(list)} ->> ${place})`;
  const is = (column: string) =>
    kind === "recipients" ? `${column} = ${name}` : `${column} >= ${name} AND ${column} <= ${name} || '${MAX_TEXT}'`;
  const along = (table: string, column: string, rest: readonly string[]): Way => ({
    table,
    where: `t.tenant = $1 AND ${is(column)}`,
    order: kind === "recipients" ? rest : [column, ...rest],
  });
  return {
    deliveries: along(deliveries, "t.recipient", ["t.notification_pk", "t.pk"]),
    items: along(inboxItems, "t.user_id", ["t.seq"]),
    events: along(events, "t.sender", ["t.received_at", "t.notification_pk"]),
  }[of];
}

function wayTexts(
  { cast, tables, unindexed }: Dialect & { readonly tables: Tables },
  names: readonly ConditionName[],
): Readonly<Record<NamedWay, Way>> {
  const value = (name: ConditionName) => `$${names.indexOf(name) + 2}`;
  const where = (name: ConditionName, column: string) => ` AND t.${column} = ${value(name)}`;
  const bound = (name: "from" | "before", time: string, sign: ">=" | "<") =>
    names.includes(name) ? ` AND ${time} ${sign} ${cast(value(name), "timestamptz")}` : "";
  const ofTenant = (table: string, order: Way["order"], condition: string) => ({ table, where: `t.tenant = $1${condition}`, order });
  const byTime = (table: string, name: string, condition = "") => {
    const time = `t.${name}`;
    return ofTenant(table, [time, "t.notification_pk"], `${condition}${bound("from", time, ">=")}${bound("before", time, "<")}`);
  };
  const byKey = (where: string) => ofTenant(deliveries, ["t.notification_pk", "t.pk"], ` AND ${where}`);
  const byDue = (where: string) => ofTenant(deliveries, ["t.due_at", "t.pk"], ` AND ${IS_FREE} AND ${where}`);
  const now = cast(value("at"), "timestamptz");
  const { deliveries, inboxItems, events, processingRecords, trackings } = tables;
  return {
    deliveries: ofTenant(deliveries, ["t.notification_pk", "t.pk"], where("recipient", "recipient")),
    items: ofTenant(inboxItems, ["t.seq", "t.notification_pk"], where("recipient", "user_id")),
    sends: byTime(trackings, "created_at"),
    sendsOfStatus: byTime(trackings, "created_at", where("status", "status")),
    events: byTime(events, "received_at"),
    eventsOfSender: byTime(events, "received_at", where("recipient", "sender")),
    eventsOfSource: byTime(events, "received_at", where("type", "source")),
    // The status is written out: a parameter would leave out the index.
    failedRecords: { table: processingRecords, where: "t.tenant = $1 AND t.status = 'FAILED'", order: ["t.pk"] },
    failed: byKey("t.status = 'failed' AND t.status IN ('failed', 'skipped', 'cancelled')"),
    skipped: byKey("t.status = 'skipped' AND t.status IN ('failed', 'skipped', 'cancelled')"),
    cancelled: byKey("t.status = 'cancelled' AND t.status IN ('failed', 'skipped', 'cancelled')"),
    retrying: byKey(`${IS_FREE} AND t.attempt > t.attempts_before`),
    fallbacks: byKey("t.status = 'waiting'"),
    heldBack: byKey("t.reason IN ('quiet_hours', 'paused')"),
    paused: byKey(`t.reason_source = '${BY_OPERATOR}'`),
    running: { table: deliveries, where: `${unindexed("t.tenant")} = $1 AND t.lease_owner IS NOT NULL`, order: ["t.lease_until", "t.pk"] },
    due: byDue(`t.due_at <= ${now}`),
    later: byDue(`t.due_at > ${now}`),
    undated: ofTenant(deliveries, ["t.pk", "t.pk"], ` AND ${IS_FREE} AND t.due_at IS NULL`),
  };
}

const IS_FREE = "t.status = 'pending' AND t.lease_owner IS NULL";

/**
 * Reads other tables in subqueries, which the planner cannot turn into a join: it looks them up by key for one notification
 * after another, until enough have matched.
 */
function conditionTexts(
  sql: Dialect & { readonly tables: Tables },
  value: (name: ConditionName) => `$${number}`,
): Readonly<Record<ConditionName, string>> {
  const { cast, hasText, isIn, tables } = sql;
  const { trackings, sends, deliveries, inboxItems, circuits } = tables;
  const [channel, recipient] = [value("channel"), value("recipient")];
  const begins = (column: string) =>
    `EXISTS (SELECT 1 FROM ${sql.texts(value("spellings"))} WHERE substr(${column}, 1, length(e.value)) = e.value)`;
  return {
    id: `n.id = ${cast(value("id"), "uuid")}`,
    below: `n.id < ${cast(value("below"), "uuid")}`,
    lowest: `n.id >= ${cast(value("lowest"), "uuid")}`,
    kind: `n.kind = ${value("kind")}`,
    // An event's type is its source.
    type: `n.type = ${value("type")}`,
    from: `n.created_at >= ${cast(value("from"), "timestamptz")}`,
    before: `n.created_at < ${cast(value("before"), "timestamptz")}`,
    // The moment of the state, which alone leaves out nothing.
    at: `${cast(value("at"), "timestamptz")} IS NOT NULL`,
    state: `CASE n.kind
      WHEN 'send' THEN coalesce((SELECT true FROM ${deliveries} d WHERE d.notification_pk = n.pk
        AND ${stateOf("d", cast(value("at"), "timestamptz"), { circuits })} = ${value("state")} LIMIT 1), false)
      ELSE false END`,
    isRetryable: `${cast(value("isRetryable"), "boolean")} AND CASE n.kind
      WHEN 'send' THEN coalesce((SELECT true FROM ${deliveries} d WHERE d.notification_pk = n.pk AND (
        (d.status = 'pending' AND d.lease_owner IS NULL AND d.attempt > d.attempts_before AND d.due_at IS NOT NULL)
        OR (d.status = 'failed' AND coalesce(d.reason, '') <> 'offline'
          AND (SELECT t.failed_chains FROM ${trackings} t WHERE t.notification_pk = n.pk) > 0)) LIMIT 1), false)
      ELSE false END`,
    status: `(SELECT t.status FROM ${trackings} t WHERE t.notification_pk = n.pk) = ${value("status")}`,
    channel: `CASE n.kind
      WHEN 'message' THEN ${channel} = 'inbox'
      WHEN 'send' THEN coalesce((SELECT t.channel FROM ${trackings} t WHERE t.notification_pk = n.pk) = ${channel}
        OR (SELECT ${hasText("s.channels", channel)} FROM ${sends} s WHERE s.notification_pk = n.pk)
        OR (SELECT d.channel FROM ${deliveries} d WHERE d.notification_pk = n.pk AND d.is_fallback LIMIT 1) = ${channel}, false)
      ELSE false END`,
    recipient: `CASE n.kind
      WHEN 'event' THEN n.sender = ${recipient}
      ELSE EXISTS (SELECT 1 FROM ${inboxItems} i WHERE i.notification_pk = n.pk AND i.user_id = ${recipient})
        OR EXISTS (SELECT 1 FROM ${deliveries} d WHERE d.tenant = $1 AND d.recipient = ${recipient} AND d.notification_pk = n.pk) END`,
    recipients: `CASE n.kind
      WHEN 'event' THEN ${isIn("n.sender", value("recipients"), "text")}
      ELSE EXISTS (SELECT 1 FROM ${inboxItems} i WHERE i.notification_pk = n.pk AND ${isIn("i.user_id", value("recipients"), "text")})
        OR EXISTS (SELECT 1 FROM ${deliveries} d WHERE d.tenant = $1 AND ${isIn("d.recipient", value("recipients"), "text")}
          AND d.notification_pk = n.pk) END`,
    spellings: `CASE n.kind
      WHEN 'event' THEN ${begins("n.sender")}
      ELSE EXISTS (SELECT 1 FROM (SELECT i.user_id FROM ${inboxItems} i WHERE i.notification_pk = n.pk LIMIT ${LOOKED_AT}) listed WHERE ${begins("listed.user_id")})
        OR EXISTS (SELECT 1 FROM (SELECT d.recipient FROM ${deliveries} d WHERE d.notification_pk = n.pk LIMIT ${LOOKED_AT}) listed
          WHERE ${begins("listed.recipient")}) END`,
    error: errorText(sql, value("error")),
  };
}

/** Whether what failed of the notification `n`, or is tried again, says this. */
function errorText({ contains, tables }: Dialect & { readonly tables: Tables }, part: string): string {
  const { deliveries, deliveryAttempts, processingRecords } = tables;
  const says = (error: string) => contains(`lower(coalesce(${error}, ''))`, `lower(${part})`);
  const last = `(SELECT a.error FROM ${deliveryAttempts} a WHERE a.delivery_pk = listed.pk ORDER BY a.attempt DESC LIMIT 1)`;
  return `CASE n.kind
    WHEN 'send' THEN EXISTS (SELECT 1 FROM (SELECT d.pk FROM ${deliveries} d WHERE d.notification_pk = n.pk
        AND (d.status = 'failed' OR (d.status = 'pending' AND d.attempt > d.attempts_before)) LIMIT ${LOOKED_AT}) listed WHERE ${says(last)})
    WHEN 'event' THEN EXISTS (SELECT 1 FROM ${processingRecords} r WHERE r.notification_pk = n.pk AND r.status = 'FAILED' AND ${says("r.error")})
    ELSE false END`;
}

/** An index that leads to notifications. Several may lead to the same one. */
export type WayName = NamedWay | NameWay;

/** The way to one name of a list of names. */
interface NameWay {
  readonly of: "deliveries" | "items" | "events";
  readonly list: "recipients" | "spellings";
  readonly place: number;
}

function isOfName(way: WayName): way is NameWay {
  return typeof way === "object";
}

/** The ways to all names of a list. */
function waysOfNames(list: NameWay["list"], names: readonly string[]): readonly WayName[] {
  return names.flatMap((_, place) => (["deliveries", "items", "events"] as const).map((of) => ({ of, list, place })));
}

type NamedWay =
  | "cancelled"
  | "deliveries"
  | "due"
  | "events"
  | "eventsOfSender"
  | "eventsOfSource"
  | "failed"
  | "failedRecords"
  | "fallbacks"
  | "heldBack"
  | "items"
  | "later"
  | "paused"
  | "retrying"
  | "running"
  | "sends"
  | "sendsOfStatus"
  | "skipped"
  | "undated";

/** The ways that lead to all deliveries in a state. Most of what was sent went well: no way leads to that, and a walk finds it soon. */
const WAYS_OF_STATE: Readonly<Partial<Record<DeliveryState, readonly WayName[]>>> = {
  scheduled: ["later", "undated", "fallbacks"],
  due: ["due"],
  running: ["running"],
  retrying: ["retrying"],
  held: ["due", "heldBack", "paused"],
  failed: ["failed"],
  skipped: ["skipped"],
  cancelled: ["cancelled"],
};

/** The ways to all that an error may be of. Where they lead to too much, a search for errors goes along the newest part of them. */
const WAYS_OF_ERRORS: readonly WayName[] = ["failed", "retrying", "failedRecords"];

/** Whether a search goes along these ways even if they lead to more than it gathers, up to that. */
export function isCut(ways: readonly WayName[]): boolean {
  return ways === WAYS_OF_ERRORS;
}

/** A way as SQL: rows of the table `t`, each with a notification's key, in the order of an index of it. */
export interface Way {
  readonly table: string;
  readonly where: string;
  /** The columns that order them, descending. */
  readonly order: readonly string[];
}

/** The ways that lead to all matches, the likely shortest first. */
export function suitableWays({
  id,
  recipient,
  recipients,
  spellings,
  error,
  status,
  state,
  isRetryable,
  kind,
  channel,
  type,
}: Conditions): readonly (readonly WayName[])[] {
  const onlySends =
    kind === "send" ||
    status !== undefined ||
    state !== undefined ||
    isRetryable === true ||
    (channel !== undefined && channel !== "inbox");
  const choices: readonly (readonly [isSuitable: boolean, ways: readonly WayName[]])[] = [
    [recipient !== undefined, ["deliveries", "items", "eventsOfSender"]],
    ...(recipients === undefined ? [] : [[true, waysOfNames("recipients", recipients)] as const]),
    ...(spellings === undefined ? [] : [[true, waysOfNames("spellings", spellings)] as const]),
    [error !== undefined, WAYS_OF_ERRORS],
    ...(state === undefined ? [] : [[true, WAYS_OF_STATE[state] ?? []] as const]),
    [isRetryable === true, ["failed", "retrying"]],
    [status !== undefined, ["sendsOfStatus"]],
    [onlySends && status === undefined, ["sends"]],
    [kind === "event" && type !== undefined, ["eventsOfSource"]],
    [kind === "event" && type === undefined, ["events"]],
  ];
  // A search for one id needs no way.
  return id === undefined ? choices.filter(([isSuitable, ways]) => isSuitable && ways.length > 0).map(([, ways]) => ways) : [];
}
