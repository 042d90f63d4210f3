import type { InboxCounts, Owner } from "@belfry/core";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { COUNTS_COLUMNS, type CountsRow, inboxState, toCounts } from "./inbox-state.ts";

/** Reads the counts of an inbox: one row by its key. */
export function prepareCounts(tables: TableNames) {
  const counters = statement<CountsRow>("counts", `WITH ${inboxState(tables)} SELECT ${COUNTS_COLUMNS} FROM inbox`);
  return ({ tenant, userId }: Owner) =>
    async (session: Session): Promise<InboxCounts> => {
      const [row] = await session.rows(counters, [tenant, userId]);
      return toCounts(row);
    };
}
