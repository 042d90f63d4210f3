import { type InboxItem, type ItemRef, isUuid, type Owner } from "@belfry/core";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { inboxState } from "./inbox-state.ts";
import { type ItemRow, itemColumns, joinNotification, ownReadTime, toItem } from "./item-row.ts";

type FoundRow = readonly [isDeleted: boolean, ...ItemRow];

/** Reads one item of an inbox. */
export function prepareGet(tables: TableNames) {
  const select = `SELECT i.deleted_at IS NOT NULL, ${itemColumns(ownReadTime(tables))} FROM inbox`;
  const bySeq = statement<FoundRow>(
    "get_by_seq",
    `WITH ${inboxState(tables)} ${select}
    CROSS JOIN LATERAL (
      SELECT * FROM ${tables.inboxItems} WHERE tenant = $1 AND user_id = $2 AND seq = $3 OFFSET 0
    ) i ${joinNotification(tables)}`,
  );
  const byId = statement<FoundRow>(
    "get_by_id",
    `WITH ${inboxState(tables)} ${select}
    CROSS JOIN LATERAL (
      SELECT * FROM ${tables.notifications} WHERE tenant = $1 AND id = $3 OFFSET 0
    ) n
    CROSS JOIN LATERAL (
      SELECT * FROM ${tables.inboxItems} WHERE notification_pk = n.pk AND user_id = $2 OFFSET 0
    ) i`,
  );
  const find = async (session: Session, { tenant, userId }: Owner, ref: ItemRef): Promise<FoundRow | undefined> => {
    const isId = typeof ref === "string";
    if (isId ? !isUuid(ref) : !Number.isSafeInteger(ref.seq)) {
      return undefined;
    }
    const [found] = await session.rows(isId ? byId : bySeq, [tenant, userId, isId ? ref : ref.seq]);
    return found;
  };
  return (owner: Owner, ref: ItemRef, { includeDeleted = false }: { readonly includeDeleted?: boolean } = {}) =>
    async (session: Session): Promise<InboxItem | null> => {
      const found = await find(session, owner, ref);
      if (found === undefined) {
        return null;
      }
      const [isDeleted, ...row] = found;
      return isDeleted && !includeDeleted ? null : toItem(row, owner);
    };
}
