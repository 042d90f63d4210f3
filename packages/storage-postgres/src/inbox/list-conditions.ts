import type { InboxStatus } from "@belfry/core";
import type { TableNames } from "../database/table-names.ts";
import { isRead, isUnread } from "./item-row.ts";

/** The items `i` of each status, and how many of them the counters of the state `inbox` have. */
export const OF_STATUS: Readonly<Record<InboxStatus, { readonly filter: string; readonly count: string }>> = {
  all: { filter: "", count: "inbox.total" },
  unread: { filter: `AND ${isUnread("inbox")}`, count: "inbox.unread" },
  read: { filter: `AND ${isRead("inbox")}`, count: "(inbox.total - inbox.unread)" },
};

/** Whether the data of the item `i` has this text as `room_id`. (As a number or anything else, it is not this text.) */
export function isOfRoom({ notifications }: TableNames, room: string): string {
  return `(SELECT n.data ->> 'room_id' FROM ${notifications} n
    WHERE n.pk = i.notification_pk AND json_typeof(n.data -> 'room_id') = 'string') = ${room}`;
}
