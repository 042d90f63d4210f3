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
  /** What the condition's parameters from $5 on are. */
  readonly values: readonly unknown[];
}

async function countInSteps<Group extends object>(
  connection: Connection,
  { place, groups }: WaitingTexts,
  { at, most, values }: Counted,
): Promise<readonly Group[]> {
  const found: Group[] = [];
  let left = most;
  for (let after: DuePlace | null = [-1, -1]; after !== null && left > 0; ) {
    const step = Math.min(STEP, left);
    const range: readonly unknown[] = [...after, step, at.getTime(), ...values];
    left -= step;
    const [last, counted] = await connection.read(() => {
      const [one] = ask<DueKey>(connection, place, range);
      return [one, ask<Group>(connection, groups, range)] as const;
    });
    found.push(...counted);
    after = last === undefined ? null : [last.dueAt, last.pk];
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

/** Statements about the deliveries of a step: those that come after the place of $1 and $2, $3 of them. $4 is the time. */
interface WaitingTexts {
  /** The last one of a whole step; none if there are fewer. */
  readonly place: string;
  /** Groups them by their state. */
  readonly groups: string;
}

/**
 * Many may be due at the same time, and the index leads to a key only where the time is given: so those of the same time come first, then later
 * ones. By another index, SQLite could read all that the tenant ever had.
 */
function waitingTexts(index: string, condition: string, columns: string): WaitingTexts {
  const waiting = (after: string) => `SELECT * FROM (SELECT d.due_at AS "dueAt", d.pk FROM belfry_deliveries d INDEXED BY ${index}
    WHERE d.status = 'pending' AND d.lease_owner IS NULL AND d.due_at IS NOT NULL ${condition} AND ${after}
    ORDER BY d.due_at, d.pk LIMIT (SELECT $3))`;
  const step = `${waiting("d.due_at = (SELECT $1) AND d.pk > (SELECT $2)")} UNION ALL ${waiting("d.due_at > (SELECT $1)")}`;
  return {
    place: `SELECT "dueAt", pk FROM (${step}) LIMIT 1 OFFSET (SELECT $3 - 1)`,
    groups: `SELECT ${columns}, ${stateOf("d", "(SELECT $4)", TABLES)} AS state, count(*) AS count, min(d.due_at) AS "firstDueAt"
      FROM (SELECT pk FROM (${step}) LIMIT (SELECT $3)) waiting CROSS JOIN belfry_deliveries d ON d.pk = waiting.pk GROUP BY ${columns}, state`,
  };
}

const OF_TENANT = waitingTexts("belfry_deliveries_tenant_due", "AND d.tenant = (SELECT $5)", "d.channel");
const OF_ALL = waitingTexts("belfry_deliveries_due", "", "d.tenant, d.channel");
