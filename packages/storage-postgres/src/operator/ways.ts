import type { TableNames } from "../database/table-names.ts";
import { type ConditionName, type Conditions, parameterOf } from "./conditions.ts";

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
    sends: () => byTime(tables.sends, "created_at"),
    sendsOfStatus: () => byTime(tables.sends, "created_at", ` AND t.status = ${value("status")}`),
    events: () => byTime(tables.events, "received_at"),
    eventsOfSender: () => byTime(tables.events, "received_at", ` AND t.sender = ${value("recipient")}`),
    eventsOfSource: () => byTime(tables.events, "received_at", ` AND t.source = ${value("type")}`),
  };
  return ways[way]();
}
