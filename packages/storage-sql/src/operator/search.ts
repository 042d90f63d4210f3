import type { ActivityFilter } from "@belfry/core";
import { idRange } from "@belfry/core/storage";
import type { Dialect, Tables } from "../database/sql.ts";

/** Ways with more entries than this are not followed to their end and sorted: so many are met soon enough while walking. */
export const MAX_GATHERED = 20_000;

/** A condition of a search. Each that is asked for has a parameter of its own. */
export type ConditionName = keyof ActivityFilter | "below" | "lowest";

/** The values of those conditions that are asked for: a filter, and the ids that are looked at. */
export type Conditions = ActivityFilter & { readonly below?: string; readonly lowest?: string };

/** The conditions of a filter, and of the part of a search that is older than the notification `after`. */
export function conditionsOf(filter: ActivityFilter, after?: string): Conditions {
  const { lowest, below: end } = idRange(filter);
  const below = after !== undefined && (end === null || after < end) ? after : end;
  return { ...filter, ...(below === null ? {} : { below }), ...(lowest === null ? {} : { lowest }) };
}

/** The names of conditions, in the order in which statements take their values after $1, the tenant. */
export function namesOf(conditions: Conditions): readonly ConditionName[] {
  return (Object.keys(conditions) as ConditionName[]).filter((name) => conditions[name] !== undefined).sort();
}

/** Whether a condition says which ids to look at. */
export function isOfId(name: ConditionName): boolean {
  return name === "id" || name === "below" || name === "lowest";
}

/** The SQL of searches with conditions of some names: $1 is the tenant, their values follow. */
export class SearchText {
  readonly names: readonly ConditionName[];
  readonly #dialect: Dialect;
  readonly #tables: Tables;

  constructor(names: readonly ConditionName[], dialect: Dialect, tables: Tables) {
    this.names = names;
    this.#dialect = dialect;
    this.#tables = tables;
  }

  /** Whether the notification `n` is the tenant's and meets conditions, all of them by default. */
  matches(conditions: readonly ConditionName[] = this.names): string {
    return ["n.tenant = $1", ...conditions.map((name) => this.#condition(name))].join(" AND ");
  }

  /** The table `t` of a way, which of its rows are meant, and the two columns by which they are ordered, falling. */
  way(name: WayName): Way {
    const { deliveries, inboxItems, events, trackings } = this.#tables;
    const where = (name: ConditionName, column: string) => ` AND t.${column} = ${this.#value(name)}`;
    const ofTenant = (table: string, order: Way["order"], condition: string) => ({ table, where: `t.tenant = $1${condition}`, order });
    const byTime = (table: string, time: string, condition = "") =>
      ofTenant(table, [`t.${time}`, "t.notification_pk"], `${condition}${this.#during(`t.${time}`)}`);
    const ways: Readonly<Record<WayName, () => Way>> = {
      deliveries: () => ofTenant(deliveries, ["t.notification_pk", "t.pk"], where("recipient", "recipient")),
      items: () => ofTenant(inboxItems, ["t.seq", "t.notification_pk"], where("recipient", "user_id")),
      sends: () => byTime(trackings, "created_at"),
      sendsOfStatus: () => byTime(trackings, "created_at", where("status", "status")),
      events: () => byTime(events, "received_at"),
      eventsOfSender: () => byTime(events, "received_at", where("recipient", "sender")),
      eventsOfSource: () => byTime(events, "received_at", where("type", "source")),
    };
    return ways[name]();
  }

  #value(name: ConditionName): string {
    return `$${this.names.indexOf(name) + 2}`;
  }

  #during(time: string): string {
    const bound = (name: "from" | "before", sign: ">=" | "<") =>
      this.names.includes(name) ? ` AND ${time} ${sign} ${this.#dialect.cast(this.#value(name), "timestamptz")}` : "";
    return bound("from", ">=") + bound("before", "<");
  }

  /**
   * Other tables are asked where the planner cannot make a join of it: they are looked up by key for one notification after
   * another, until enough have matched.
   */
  #condition(name: ConditionName): string {
    const { trackings, sends, deliveries, inboxItems } = this.#tables;
    const { cast, hasText } = this.#dialect;
    const value = this.#value(name);
    const conditions: Readonly<Record<ConditionName, string>> = {
      id: `n.id = ${cast(value, "uuid")}`,
      below: `n.id < ${cast(value, "uuid")}`,
      lowest: `n.id >= ${cast(value, "uuid")}`,
      kind: `n.kind = ${value}`,
      type: `CASE n.kind WHEN 'event' THEN n.source ELSE n.type END = ${value}`,
      from: `n.created_at >= ${cast(value, "timestamptz")}`,
      before: `n.created_at < ${cast(value, "timestamptz")}`,
      status: `(SELECT t.status FROM ${trackings} t WHERE t.notification_pk = n.pk) = ${value}`,
      channel: `CASE n.kind
        WHEN 'message' THEN ${value} = 'inbox'
        WHEN 'send' THEN coalesce((SELECT t.channel FROM ${trackings} t WHERE t.notification_pk = n.pk) = ${value}
          OR (SELECT ${hasText("s.channels", value)} FROM ${sends} s WHERE s.notification_pk = n.pk)
          OR (SELECT d.channel FROM ${deliveries} d WHERE d.notification_pk = n.pk AND d.is_fallback LIMIT 1) = ${value}, false)
        ELSE false END`,
      recipient: `CASE n.kind
        WHEN 'event' THEN n.sender = ${value}
        ELSE EXISTS (SELECT 1 FROM ${inboxItems} i WHERE i.notification_pk = n.pk AND i.user_id = ${value})
          OR EXISTS (SELECT 1 FROM ${deliveries} d WHERE d.tenant = $1 AND d.recipient = ${value} AND d.notification_pk = n.pk) END`,
    };
    return conditions[name];
  }
}

/** An index along which notifications are found. One that is found twice is the same one. */
export type WayName = "deliveries" | "events" | "eventsOfSender" | "eventsOfSource" | "items" | "sends" | "sendsOfStatus";

/** A way as SQL: rows of the table `t`, each with a notification's key, in the order of an index of it. */
export interface Way {
  readonly table: string;
  readonly where: string;
  readonly order: readonly [first: string, second: string];
}

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
