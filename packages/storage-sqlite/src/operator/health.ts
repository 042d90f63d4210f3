import { type ChannelWaiting, type CountWaiting, stateOf } from "@belfry/storage-sql";
import { type Connection, turn } from "../database/connection.ts";
import { ask, TABLES } from "../database/sql.ts";

/** How many deliveries one step looks at: a few milliseconds' work, in which nobody else gets a turn. */
const STEP = 2_000;

/** Counts what waits in steps. */
export function countingWaiting(connection: () => Connection): CountWaiting {
  return async (tenant, at, most = Number.POSITIVE_INFINITY) => {
    const open = connection();
    const groups: ChannelWaiting[] = [];
    const end: DuePlace = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
    let left = most;
    for (let after: DuePlace | null = [-1, -1]; after !== null && left > 0; ) {
      const start: DuePlace = after;
      const step = Math.min(STEP, left);
      left -= step;
      const [last] = await open.query(() => ask<DueKey>(open, DUE_PLACE, [...start, tenant, step - 1]));
      after = last === undefined ? null : [last.dueAt, last.pk];
      const values = [...start, tenant, ...(after ?? end), at.getTime()];
      groups.push(...(await open.query(() => ask<ChannelWaiting>(open, WAITING_GROUPS, values))));
      await turn();
    }
    return groups;
  };
}

/** A waiting delivery's place among all, by the time it is due. */
type DuePlace = readonly [dueAt: number, pk: number];

interface DueKey {
  readonly dueAt: number;
  readonly pk: number;
}

/** The tenant's waiting deliveries after a place. By another index, SQLite could read all that the tenant ever had. */
const WAITING_AFTER = `FROM belfry_deliveries d INDEXED BY belfry_deliveries_tenant_due
  WHERE d.status = 'pending' AND d.lease_owner IS NULL AND d.tenant = (SELECT $3) AND (d.due_at, d.pk) > ((SELECT $1), (SELECT $2))`;

/** The last waiting delivery of a whole step after a place; none if there are fewer. */
const DUE_PLACE = `SELECT d.due_at AS "dueAt", d.pk ${WAITING_AFTER} ORDER BY d.due_at, d.pk LIMIT 1 OFFSET (SELECT $4)`;

/** Groups a tenant's waiting deliveries from one place to another. */
const WAITING_GROUPS = `SELECT d.channel, ${stateOf("d", "(SELECT $6)", TABLES)} AS state, count(*) AS count, min(d.due_at) AS "firstDueAt"
  ${WAITING_AFTER} AND (d.due_at, d.pk) <= ((SELECT $4), (SELECT $5)) GROUP BY 1, 2`;
