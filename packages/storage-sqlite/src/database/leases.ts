import type { Lease, LeaseRequest, LeaseStorage, LostLease, LostLeaseQuery } from "@belfry/core/storage";
import { type SQL, sql } from "drizzle-orm";
import { bind, query, read, write } from "./bind.ts";
import type { Connection } from "./connection.ts";
import type { QueryContext } from "./statement.ts";

/** The columns that leasing changes in a row. */
interface LeasedRow {
  readonly pk: number;
  readonly attempt: number;
  readonly fence: number;
}

/** A table whose rows are tasks to be leased. */
export interface LeaseTable<Row extends LeasedRow, Task, Fairness extends object> {
  readonly table: SQL;
  /** Which rows are due at the value `at` and held by nobody. */
  readonly isDue: SQL;
  /** When the next rows are due: for each queue, the least `due_at`. */
  readonly queues: readonly SQL[];
  /** A select of {@link Row} without its condition, and the alias that the table has in it. */
  readonly select: SQL;
  readonly alias: SQL;
  /** The columns that a claim changes beside the lease. */
  readonly claimed?: Partial<Row> & Readonly<Record<string, string>>;
  /** Prepares the choice of due rows, those due first first. It differs by what is fair, and makes the plan. */
  due(context: QueryContext): (request: LeaseRequest & Fairness) => readonly Row[];
  /** Prepares what makes tasks of rows. */
  tasks(context: QueryContext): (rows: readonly Row[]) => readonly Task[];
}

/**
 * Leases of the rows of one table.
 *
 * @param current what is open at this moment; throws if nothing is
 */
export function leases<Row extends LeasedRow, Task, Fairness extends object>(
  current: () => { readonly connection: Connection },
  table: LeaseTable<Row, Task, Fairness>,
): LeaseStorage<Task, Fairness> {
  const hasDue = prepareHasDue(table);
  const claim = prepareClaim(table);
  return {
    ...bind(current, {
      leasedTo: read(prepareLeasedTo(table)),
      renew: write(prepareRenew(table)),
      lost: query(prepareLost(table)),
      nextDueInMs: query(prepareNextDue(table)),
    }),
    async claim(request) {
      const { connection } = current();
      // Most of the time nothing is due: that is learned without a transaction.
      const isDue = await connection.query(() => connection.prepared(hasDue)(request.at));
      return isDue ? connection.write(() => connection.prepared(claim)(request)) : [];
    },
  };
}

type Table<Row extends LeasedRow, Task, Fairness extends object> = LeaseTable<Row, Task, Fairness>;

function prepareHasDue({ table, isDue }: Pick<Table<LeasedRow, unknown, object>, "table" | "isDue">) {
  return ({ prepare }: QueryContext) => {
    const find = prepare<{ readonly at: number }, { readonly pk: number }>(sql`select pk from ${table} where ${isDue} limit 1`);
    return (at: Date): boolean => find.get({ at: at.getTime() }) !== undefined;
  };
}

function prepareClaim<Row extends LeasedRow, Task, Fairness extends object>({
  table,
  claimed = {} as Partial<Row> & Readonly<Record<string, string>>,
  ...domain
}: Table<Row, Task, Fairness>) {
  return (context: QueryContext) => {
    const due = domain.due(context);
    const tasks = domain.tasks(context);
    const changes = Object.entries(claimed).map(([column, value]) => sql`${sql.identifier(column)} = ${sql.raw(`'${value}'`)}, `);
    const lease = context.prepare<{ readonly pk: number; readonly owner: string; readonly until: number }>(sql`
      update ${table} set ${sql.join(changes)} lease_owner = ${sql.placeholder("owner")}, lease_until = ${sql.placeholder("until")},
        attempt = attempt + 1, fence = fence + 1 where pk = ${sql.placeholder("pk")}`);
    return (request: LeaseRequest & Fairness): readonly Task[] => {
      const { owner, at, leaseMs } = request;
      const until = at.getTime() + leaseMs;
      const rows = due(request);
      for (const { pk } of rows) {
        lease.run({ pk, owner, until });
      }
      const leased = { ...claimed, leaseOwner: owner, leaseUntil: until };
      return tasks(rows.map((row) => ({ ...row, ...leased, attempt: row.attempt + 1, fence: row.fence + 1 })));
    };
  };
}

function prepareLeasedTo<Row extends LeasedRow, Task, Fairness extends object>({ select, alias, ...domain }: Table<Row, Task, Fairness>) {
  return (context: QueryContext) => {
    const tasks = domain.tasks(context);
    const find = context.prepare<{ readonly owner: string }, Row>(sql`
      ${select} where ${alias}.lease_owner is not null and ${alias}.lease_owner = ${sql.placeholder("owner")} order by ${alias}.due_at, ${alias}.pk`);
    return (owner: string): readonly Task[] => tasks(find.all({ owner }));
  };
}

function prepareRenew({ table }: { readonly table: SQL }) {
  return ({ prepare }: QueryContext) => {
    const renew = prepare<Lease & { readonly owner: string; readonly until: number }>(sql`
      update ${table} set lease_until = ${sql.placeholder("until")}
      where id = ${sql.placeholder("id")} and lease_owner = ${sql.placeholder("owner")} and fence = ${sql.placeholder("fence")}`);
    return (owner: string, held: readonly Lease[], { at, leaseMs }: { readonly at: Date; readonly leaseMs: number }): readonly Lease[] =>
      held.filter(({ id, fence }) => renew.run({ id, fence, owner, until: at.getTime() + leaseMs }).changes > 0);
  };
}

interface LostValues {
  readonly now: number;
  readonly furthest: number;
  readonly limit: number;
}

interface LostRow extends Lease {
  readonly owner: string;
  readonly until: number;
  readonly attempt: number;
}

/** Leases of what is under way are few: all of them may be looked at. */
function prepareLost({ table }: { readonly table: SQL }) {
  return ({ prepare }: QueryContext) => {
    const isOver = sql`(lease_until <= ${sql.placeholder("now")} or lease_until > ${sql.placeholder("furthest")})`;
    const lost = (condition: SQL) => sql`
      select id, fence, lease_owner as owner, lease_until as "until", attempt from ${table} where lease_owner is not null and ${condition}
      order by lease_until limit ${sql.placeholder("limit")}`;
    const ofAnybody = prepare<LostValues, LostRow>(lost(isOver));
    const ofOthers = prepare<LostValues & { readonly owner: string }, LostRow>(
      lost(sql`(lease_owner <> ${sql.placeholder("owner")} or ${isOver})`),
    );
    return ({ at, limit, furthestMs, notOwnedBy }: LostLeaseQuery): readonly LostLease[] => {
      const values = { now: at.getTime(), furthest: at.getTime() + furthestMs, limit };
      const rows = notOwnedBy === undefined ? ofAnybody.all(values) : ofOthers.all({ ...values, owner: notOwnedBy });
      return rows.map((row) => ({ ...row, until: new Date(row.until) }));
    };
  };
}

function prepareNextDue({ table, queues }: { readonly table: SQL; readonly queues: readonly SQL[] }) {
  return ({ prepare }: QueryContext) => {
    const leased = sql`select lease_until from ${table} where lease_owner is not null order by lease_until limit 1`;
    const times = [...queues, leased].map((one) => sql`select * from (${one})`);
    const next = prepare<object, { readonly due: number | null }>(
      sql`select min(due) as due from (select null as due union all ${sql.join(times, sql` union all `)})`,
    );
    return (at: Date): number | null => {
      const due = next.get({})?.due ?? null;
      return due === null ? null : Math.max(0, due - at.getTime());
    };
  };
}
