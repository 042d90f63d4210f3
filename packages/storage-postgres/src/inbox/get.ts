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
  return async (
    session: Session,
    owner: Owner,
    { ref, includeDeleted }: { readonly ref: ItemRef; readonly includeDeleted: boolean },
  ): Promise<InboxItem | null> => {
    if (typeof ref === "string" ? !isUuid(ref) : !Number.isSafeInteger(ref.seq)) {
      return null;
    }
    const [found] =
      typeof ref === "string"
        ? await session.rows(byId, [owner.tenant, owner.userId, ref])
        : await session.rows(bySeq, [owner.tenant, owner.userId, ref.seq]);
    if (found === undefined) {
      return null;
    }
    const [isDeleted, ...row] = found;
    return isDeleted && !includeDeleted ? null : toItem(row, owner);
  };
}
