import type { Owner } from "@belfry/core";
import type { ExportedItem, ExportStep, StepRange } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { inboxState } from "./inbox-state.ts";
import { type ItemRow, itemColumns, joinNotification, ownReadTime, toItem } from "./item-row.ts";

type ExportRow = readonly [deletedAt: number | null, ...ItemRow];

/** Reads the items of an inbox, oldest first, deleted ones too. */
export function prepareExport(tables: TableNames) {
  const page = statement<ExportRow>(
    "export_inbox",
    `WITH ${inboxState(tables)}
    SELECT (extract(epoch FROM i.deleted_at) * 1000)::bigint, ${itemColumns(ownReadTime(tables))}
    FROM inbox CROSS JOIN LATERAL (
      SELECT * FROM ${tables.inboxItems} WHERE tenant = $1 AND user_id = $2 AND seq > $3 ORDER BY seq LIMIT $4
    ) i
    ${joinNotification(tables)}
    ORDER BY i.seq`,
  );
  return (owner: Owner, { after, limit }: StepRange) =>
    async (session: Session): Promise<ExportStep<ExportedItem>> => {
      const rows = await session.rows(page, [owner.tenant, owner.userId, Number(after ?? 0), limit]);
      const records = rows.map(([deletedAt, ...row]): ExportedItem => {
        return { ...toItem(row, owner), deletedAt: deletedAt === null ? null : new Date(deletedAt) };
      });
      const last = records.length < limit ? undefined : records.at(-1);
      return { records, next: last === undefined ? null : String(last.seq) };
    };
}
