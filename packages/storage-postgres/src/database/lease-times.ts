import type { LostLease, LostLeaseQuery } from "@belfry/core/storage";
import type { Session } from "./connection.ts";
import { milliseconds, type StorageTime, statement, timeOf } from "./statement.ts";
import type { TableNames } from "./table-names.ts";
import { WalkStart } from "./walk-start.ts";

/** A table of tasks with times: when they are due, and until when they are leased. */
export interface TimedTable {
  /** Names the tasks in statements, for example `deliveries`. */
  readonly name: string;
  readonly table: keyof TableNames;
  /** For each queue, the condition on its rows: the next row due has the least `due_at` of all. */
  readonly queues: readonly string[];
  /** Selects of `due`, the time at which something else is to be done. @default none */
  alsoDue?(tables: TableNames): readonly string[];
}

type LostRow = readonly [id: string, fence: number, owner: string, until: number, attempt: number];

/** Finds leases that are lost. */
export function prepareLost({ name, table }: Pick<TimedTable, "name" | "table">) {
  return (tables: TableNames, time: StorageTime) => {
    // Two ends of the index: between them are the leases that hold, and what is left there of those that have ended.
    const outside = [
      "t.lease_until <= (SELECT now FROM clock)",
      "t.lease_until > (SELECT now + $2 * interval '1 millisecond' FROM clock)",
    ] as const;
    const lost = (operation: string, conditions: readonly string[]) => {
      const leasesIn = (condition: string) =>
        `(SELECT t.* FROM ${tables[table]} t WHERE t.lease_owner IS NOT NULL AND ${condition} ORDER BY t.lease_until LIMIT $3)`;
      return statement<LostRow>(
        operation,
        `WITH clock AS MATERIALIZED (SELECT ${timeOf("$1")} AS now)
        SELECT t.id, t.fence, t.lease_owner, ${milliseconds("t.lease_until")}, t.attempt
        FROM (${conditions.map(leasesIn).join(" UNION ALL ")}) t ORDER BY t.lease_until LIMIT $3`,
      );
    };
    const ofAnybody = lost(`lost_${name}`, outside);
    const ofAnybodySince = lost(`lost_${name}_since`, [`${outside[0]} AND t.lease_until >= $4::timestamptz`, outside[1]]);
    const ofOthers = lost(`lost_${name}_of_others`, [`(t.lease_owner <> $4 OR ${outside.join(" OR ")})`]);
    const start = new WalkStart(tables[table]);
    return ({ at, limit, furthestMs, notOwnedBy }: LostLeaseQuery) =>
      async (session: Session): Promise<readonly LostLease[]> => {
        const values = [time(at), furthestMs, limit];
        const from = (since: string | null) =>
          since === null ? session.rows(ofAnybody, values) : session.rows(ofAnybodySince, [...values, since]);
        const rows =
          notOwnedBy === undefined
            ? await start.walk({ session, at: time(at) }, { from, timeOf: ([, , , until]: LostRow) => until })
            : await session.rows(ofOthers, [...values, notOwnedBy]);
        return rows.map(([id, fence, owner, until, attempt]) => ({ id, fence, owner, until: new Date(until), attempt }));
      };
  };
}

type NextDueRow = readonly [dueInMs: number, due: number];

/** Finds when something is due next, or a lease runs out. */
export function prepareNextDue({ name, table, queues, alsoDue = () => [] }: TimedTable) {
  return (tables: TableNames, time: StorageTime) => {
    const others = alsoDue(tables).map((one) => `(${one})`);
    const next = (operation: string, since: (column: string) => string) => {
      const first = (column: string, where: string) =>
        `(SELECT ${column} AS due FROM ${tables[table]} WHERE ${where}${since(column)} ORDER BY ${column} LIMIT 1)`;
      const times = [...queues.map((queue) => first("due_at", queue)), ...others, first("lease_until", "lease_owner IS NOT NULL")];
      return statement<NextDueRow>(
        operation,
        `SELECT greatest(0, ceil(${milliseconds("min(due)")} - ${milliseconds(timeOf("$1"))}))::bigint, ${milliseconds("min(due)")}
        FROM (${times.join(" UNION ALL ")}) d HAVING min(due) IS NOT NULL`,
      );
    };
    const ofAll = next(`next_due_${name}`, () => "");
    const ofThoseSince = next(`next_due_${name}_since`, (column) => ` AND ${column} >= $2::timestamptz`);
    const start = new WalkStart(tables[table]);
    return (at: Date) =>
      async (session: Session): Promise<number | null> => {
        const from = (since: string | null) =>
          since === null ? session.rows(ofAll, [time(at)]) : session.rows(ofThoseSince, [time(at), since]);
        const [row] = await start.walk({ session, at: time(at) }, { from, timeOf: ([, due]: NextDueRow) => due });
        const dueInMs = row?.[0] ?? null;
        // Something older may have come since the last walk that went all the way.
        return start.restMs > 0 ? Math.min(dueInMs ?? start.restMs, start.restMs) : dueInMs;
      };
  };
}
