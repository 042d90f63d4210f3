import { EMPTY_EPOCH, type InboxPosition, type Owner } from "@belfry/core";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** Reads how far several inboxes have got. */
export function preparePositions({ inboxCounters }: TableNames) {
  const all = statement<[lastSeq: number | null, epoch: string | null]>(
    "positions",
    `SELECT c.last_seq, c.epoch
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS o(tenant, user_id, place)
    LEFT JOIN LATERAL (
      SELECT last_seq, epoch FROM ${inboxCounters} WHERE tenant = o.tenant AND user_id = o.user_id AND last_seq > 0 OFFSET 0
    ) c ON true
    ORDER BY o.place`,
  );
  return (owners: readonly Owner[]) =>
    async (session: Session): Promise<readonly InboxPosition[]> => {
      const rows = await session.rows(all, [owners.map((owner) => owner.tenant), owners.map((owner) => owner.userId)]);
      return rows.map(([seq, epoch]) => ({ seq: seq ?? 0, epoch: epoch ?? EMPTY_EPOCH }));
    };
}
