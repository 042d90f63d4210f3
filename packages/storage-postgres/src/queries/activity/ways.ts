import type { TableNames } from "../../table-names.ts";
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

/** The keys of the notifications along a way, as SQL; $1 is the tenant. */
export function keysAlong(way: WayName, tables: TableNames, names: readonly ConditionName[]): string {
  const value = (name: ConditionName) => parameterOf(name, names);
  const byTime = (table: string, time: string, condition = "") => {
    const from = names.includes("from") ? ` AND t.${time} >= ${value("from")}::timestamptz` : "";
    const before = names.includes("before") ? ` AND t.${time} < ${value("before")}::timestamptz` : "";
    return `SELECT t.notification_pk FROM ${table} t WHERE t.tenant = $1${condition}${from}${before}`;
  };
  const ways: Readonly<Record<WayName, () => string>> = {
    deliveries: () => `SELECT t.notification_pk FROM ${tables.deliveries} t WHERE t.tenant = $1 AND t.recipient = ${value("recipient")}`,
    items: () => `SELECT t.notification_pk FROM ${tables.inboxItems} t WHERE t.tenant = $1 AND t.user_id = ${value("recipient")}`,
    sends: () => byTime(tables.sends, "created_at"),
    sendsOfStatus: () => byTime(tables.sends, "created_at", ` AND t.status = ${value("status")}`),
    events: () => byTime(tables.events, "received_at"),
    eventsOfSender: () => byTime(tables.events, "received_at", ` AND t.sender = ${value("recipient")}`),
    eventsOfSource: () => byTime(tables.events, "received_at", ` AND t.source = ${value("type")}`),
  };
  return ways[way]();
}
