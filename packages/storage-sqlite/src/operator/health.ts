import { type ChannelWaiting, type CountAllWaiting, type CountWaiting, stateOf, type TenantWaiting } from "@belfry/storage-sql";
import { type Connection, turn } from "../database/connection.ts";
import { ask, TABLES } from "../database/sql.ts";

/** How many deliveries one step looks at: a few milliseconds' work, in which nobody else gets a turn. */
const STEP = 2_000;

/** Counts what waits in a tenant, in steps. */
export function countingWaiting(connection: () => Connection): CountWaiting {
  return (tenant, at, most = Number.POSITIVE_INFINITY) =>
    countInSteps<ChannelWaiting>(connection(), OF_TENANT, { at, most, values: [tenant] });
}

/** Counts what waits in all tenants, in steps. */
export function countingAllWaiting(connection: () => Connection): CountAllWaiting {
  return (at, most) => countInSteps<TenantWaiting>(connection(), OF_ALL, { at, most, values: [] });
}

interface Counted {
  readonly at: Date;
  readonly most: number;
  /** What the condition's parameters from $6 on are. */
  readonly values: readonly unknown[];
}

async function countInSteps<Group extends object>(
  connection: Connection,
  { place, groups }: WaitingTexts,
  { at, most, values }: Counted,
): Promise<readonly Group[]> {
  const found: Group[] = [];
  const end: DuePlace = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  let left = most;
  for (let after: DuePlace | null = [-1, -1]; after !== null && left > 0; ) {
    const start: DuePlace = after;
    const step = Math.min(STEP, left);
    left -= step;
    const [last] = await connection.query(() => ask<DueKey>(connection, place, [...start, ...end, step - 1, ...values]));
    after = last === undefined ? null : [last.dueAt, last.pk];
    const range = [...start, ...(after ?? end), at.getTime(), ...values];
    found.push(...(await connection.query(() => ask<Group>(connection, groups, range))));
    await turn();
  }
  return found;
}

/** A waiting delivery's place among all, by the time it is due. */
type DuePlace = readonly [dueAt: number, pk: number];

interface DueKey {
  readonly dueAt: number;
  readonly pk: number;
}

interface WaitingTexts {
  /** The last waiting delivery of a whole step in a range; none if there are fewer. $5 is the size of a step, less one. */
  readonly place: string;
  /** Groups the waiting deliveries of a range by their state at $5. */
  readonly groups: string;
}

/** Ranges are from $1 and $2, exclusive, to $3 and $4, inclusive. By another index, SQLite could read all that the tenant ever had. */
function waitingTexts(index: string, condition: string, columns: string): WaitingTexts {
  const from = `FROM belfry_deliveries d INDEXED BY ${index} WHERE d.status = 'pending' AND d.lease_owner IS NULL AND d.due_at IS NOT NULL ${condition}
    AND (d.due_at, d.pk) > ((SELECT $1), (SELECT $2)) AND (d.due_at, d.pk) <= ((SELECT $3), (SELECT $4))`;
  return {
    place: `SELECT d.due_at AS "dueAt", d.pk ${from} ORDER BY d.due_at, d.pk LIMIT 1 OFFSET (SELECT $5)`,
    groups: `SELECT ${columns}, ${stateOf("d", "(SELECT $5)", TABLES)} AS state, count(*) AS count, min(d.due_at) AS "firstDueAt"
      ${from} GROUP BY ${columns}, state`,
  };
}

const OF_TENANT = waitingTexts("belfry_deliveries_tenant_due", "AND d.tenant = (SELECT $6)", "d.channel");
const OF_ALL = waitingTexts("belfry_deliveries_due", "", "d.tenant, d.channel");
