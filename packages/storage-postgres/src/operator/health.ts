import type { WaitingState } from "@belfry/core";
import { type ChannelWaiting, stateOf } from "@belfry/storage-sql";
import type { Session } from "../database/connection.ts";
import { milliseconds, type StorageTime, statement, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** Counts what waits in a tenant's channels. */
export function prepareCountWaiting(tables: TableNames, time: StorageTime) {
  const waiting = statement<[channel: string, state: WaitingState, count: number, firstDueAt: number]>(
    "count_waiting",
    // The fence (OFFSET 0) makes it look at the clock once, and at each delivery's state once.
    `SELECT channel, state, count(*), ${milliseconds("min(due_at)")} FROM (
      SELECT d.channel, ${stateOf("d", "c.now", tables)} AS state, d.due_at FROM (SELECT ${timeOf("$2")} AS now OFFSET 0) c CROSS JOIN (SELECT * FROM ${tables.deliveries}
        WHERE tenant = $1 AND status = 'pending' AND lease_owner IS NULL AND due_at IS NOT NULL ORDER BY due_at LIMIT $3::bigint) d OFFSET 0) d
    GROUP BY channel, state`,
  );
  return (tenant: string, at: Date, most: number | undefined) =>
    async (session: Session): Promise<readonly ChannelWaiting[]> => {
      const rows = await session.rows(waiting, [tenant, time(at), most ?? null]);
      return rows.map(([channel, state, count, firstDueAt]) => ({ channel, state, count, firstDueAt }));
    };
}
