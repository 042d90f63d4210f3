import type { WaitingState } from "@belfry/core";
import { type ChannelWaiting, stateOf, type TenantWaiting } from "@belfry/storage-sql";
import type { Session } from "../database/connection.ts";
import { milliseconds, type StorageTime, statement, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

type WaitingRow = readonly [tenant: string, channel: string, state: WaitingState, count: number, firstDueAt: number];

/** Counts what waits in a tenant's channels. */
export function prepareCountWaiting(tables: TableNames, time: StorageTime) {
  const waiting = statement<WaitingRow>("count_waiting", waitingText(tables, "tenant = $3 AND"));
  return (tenant: string, at: Date, most: number | undefined) =>
    async (session: Session): Promise<readonly ChannelWaiting[]> => {
      const rows = await session.rows(waiting, [time(at), most ?? null, tenant]);
      return rows.map(([, channel, state, count, firstDueAt]) => ({ channel, state, count, firstDueAt }));
    };
}

/** Counts what waits in the channels of all tenants. */
export function prepareCountAllWaiting(tables: TableNames, time: StorageTime) {
  const waiting = statement<WaitingRow>("count_all_waiting", waitingText(tables, ""));
  return (at: Date, most: number) =>
    async (session: Session): Promise<readonly TenantWaiting[]> => {
      const rows = await session.rows(waiting, [time(at), most]);
      return rows.map(([tenant, channel, state, count, firstDueAt]) => ({ tenant, channel, state, count, firstDueAt }));
    };
}

/** $1 is the time, $2 how many are looked at. The fence (OFFSET 0) makes it look at the clock once, and at each delivery's state once. */
function waitingText(tables: TableNames, condition: string): string {
  return `SELECT tenant, channel, state, count(*), ${milliseconds("min(due_at)")} FROM (
      SELECT d.tenant, d.channel, ${stateOf("d", "c.now", tables)} AS state, d.due_at FROM (SELECT ${timeOf("$1")} AS now OFFSET 0) c
      CROSS JOIN (SELECT * FROM ${tables.deliveries}
        WHERE ${condition} status = 'pending' AND lease_owner IS NULL AND due_at IS NOT NULL ORDER BY due_at LIMIT $2::bigint) d OFFSET 0) d
    GROUP BY tenant, channel, state`;
}
