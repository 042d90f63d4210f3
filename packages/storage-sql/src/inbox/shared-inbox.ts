import { isUuid } from "@belfry/core";
import type { InboxStorage } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";

interface Found {
  readonly isThere: boolean | number;
  readonly isDeleted: boolean | number;
}

/** The operations of inboxes that both storages share; none of them is hot. */
export function sharedInbox(sql: Sql): Pick<InboxStorage, "absence" | "renewEpochs"> {
  const { notifications, inboxItems, inboxCounters } = sql.tables;
  const state = `i.seq IS NOT NULL AS "isThere", i.deleted_at IS NOT NULL AS "isDeleted"`;
  const bySeq = `SELECT ${state} FROM ${inboxItems} i WHERE i.tenant = $1 AND i.user_id = $2 AND i.seq = $3`;
  const byId = `SELECT ${state} FROM ${notifications} n LEFT JOIN ${inboxItems} i ON i.notification_pk = n.pk AND i.user_id = $2
    WHERE n.tenant = $1 AND n.id = $3`;
  const find = async (tenant: string, userId: string, ref: Parameters<InboxStorage["absence"]>[1]): Promise<Found | undefined> => {
    if (typeof ref !== "string") {
      return Number.isSafeInteger(ref.seq) ? (await sql.rows<Found>("absence_by_seq", bySeq, [tenant, userId, ref.seq]))[0] : undefined;
    }
    return isUuid(ref) ? (await sql.rows<Found>("absence_by_id", byId, [tenant, userId, ref.toLowerCase()]))[0] : undefined;
  };
  return {
    async absence({ tenant, userId }, ref) {
      const found = await find(tenant, userId, ref);
      if (found !== undefined && !found.isThere) {
        return "foreign";
      }
      // An item that is there and not deleted arrived after the caller looked, so it was unknown then.
      return found?.isDeleted ? "deleted" : "unknown";
    },
    renewEpochs: () => sql.inTransaction("renew_epochs", [`UPDATE ${inboxCounters} SET epoch = ${sql.newEpoch}`], []),
  };
}
