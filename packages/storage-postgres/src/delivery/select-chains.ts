import { isUuid } from "@belfry/core";
import type { ChainSelection } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { timeOf } from "../database/json-rows.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { isRead } from "../inbox/item-row.ts";

/** Names a chain: its notification, and its number there. */
export type ChainKey = readonly [pk: number, chain: number];

/** Whether the recipient of delivery `d` has read its inbox item, as SQL. */
export function isItemRead({ inboxItems, inboxCounters }: TableNames): string {
  return `(d.channel = 'inbox' AND EXISTS (
    SELECT FROM ${inboxItems} i JOIN ${inboxCounters} c ON c.tenant = i.tenant AND c.user_id = i.user_id
    WHERE i.notification_pk = d.notification_pk AND i.user_id = d.recipient AND ${isRead("c")}))`;
}

/** Finds the chains that a selection is about, without a lock. */
export function prepareSelectChains(tables: TableNames) {
  const { deliveries, notifications } = tables;
  const open = "d.channel = 'inbox' AND d.status IN ('pending', 'sent', 'failed')";
  const select = (operation: string, rest: string) =>
    statement<ChainKey>(operation, `SELECT DISTINCT d.notification_pk, d.chain FROM ${rest}`);
  const due = (operation: string, where: string, time: string) =>
    statement<ChainKey>(operation, `SELECT d.notification_pk, d.chain FROM ${deliveries} d WHERE ${where} ORDER BY ${time} LIMIT $2`);
  const ofSend = select(
    "chains_of_send",
    `${notifications} n JOIN ${deliveries} d ON d.notification_pk = n.pk WHERE n.tenant = $1 AND n.id = $2`,
  );
  const ofDeliveries = select("chains_of_deliveries", `${deliveries} d WHERE d.id = ANY ($1::uuid[])`);
  const ofItems = select(
    "chains_of_items",
    `${notifications} n JOIN ${deliveries} d ON d.tenant = n.tenant AND d.recipient = $2 AND d.notification_pk = n.pk
    WHERE n.tenant = $1 AND n.id = ANY ($3::uuid[]) AND ${open}`,
  );
  const ofRead = select("chains_of_read", `${deliveries} d WHERE d.tenant = $1 AND d.recipient = $2 AND ${open} AND ${isItemRead(tables)}`);
  const ofWaiting = due("waiting_chains", `d.status = 'waiting' AND d.due_at <= ${timeOf("$1")}`, "d.due_at");
  return async (session: Session, selection: ChainSelection, at: string | null): Promise<readonly ChainKey[]> => {
    switch (selection.kind) {
      case "send":
        return isUuid(selection.id) ? session.rows(ofSend, [selection.tenant, selection.id]) : [];
      case "deliveries":
        return session.rows(ofDeliveries, [selection.ids.filter(isUuid)]);
      case "inbox": {
        const { owner, ids } = selection;
        const values = [owner.tenant, owner.userId];
        return ids === null ? session.rows(ofRead, values) : session.rows(ofItems, [...values, ids.filter(isUuid)]);
      }
      case "waiting":
        return session.rows(ofWaiting, [at, selection.limit]);
    }
  };
}
