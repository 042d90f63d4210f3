import { type ItemRef, isUuid, type Owner } from "@belfry/core";
import type { ItemAbsence } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** Finds out why an inbox does not have an item. */
export function prepareAbsence({ notifications, inboxItems }: TableNames) {
  const bySeq = statement<[isDeleted: boolean]>(
    "absence_by_seq",
    `SELECT deleted_at IS NOT NULL FROM ${inboxItems} WHERE tenant = $1 AND user_id = $2 AND seq = $3`,
  );
  const byId = statement<[isThere: boolean, isDeleted: boolean]>(
    "absence_by_id",
    `SELECT i.seq IS NOT NULL, i.deleted_at IS NOT NULL
    FROM ${notifications} n LEFT JOIN ${inboxItems} i ON i.notification_pk = n.pk AND i.user_id = $2
    WHERE n.tenant = $1 AND n.id = $3`,
  );
  const absenceOfSeq = async (session: Session, { tenant, userId }: Owner, seq: number): Promise<ItemAbsence> => {
    const [row] = Number.isSafeInteger(seq) ? await session.rows(bySeq, [tenant, userId, seq]) : [];
    return row?.[0] ? "deleted" : "unknown";
  };
  const absenceOfId = async (session: Session, { tenant, userId }: Owner, id: string): Promise<ItemAbsence> => {
    const [row] = isUuid(id) ? await session.rows(byId, [tenant, userId, id]) : [];
    if (row === undefined) {
      return "unknown";
    }
    const [isThere, isDeleted] = row;
    // There and not deleted: it arrived after the caller looked, so it was unknown then.
    const ofItem = isDeleted ? "deleted" : "unknown";
    return isThere ? ofItem : "foreign";
  };
  return (owner: Owner, ref: ItemRef) =>
    (session: Session): Promise<ItemAbsence> =>
      typeof ref === "string" ? absenceOfId(session, owner, ref) : absenceOfSeq(session, owner, ref.seq);
}
