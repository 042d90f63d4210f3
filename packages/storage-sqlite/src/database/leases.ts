import type {
  DueRequest,
  Lease,
  LeaseRequest,
  LeaseStorage,
  LostLease,
  LostLeaseQuery,
  NamedLeaseStorage,
  NamedTask,
} from "@belfry/core/storage";
import { bind, type Current, query, read, write, writeTogether, writeTogetherIf } from "./bind.ts";
import type { QueryContext } from "./statement.ts";

/** The columns of a row, its key first. */
type KeyedRow = [pk: number, ...unknown[]];

/** The holder of a lease, and when it runs out, in milliseconds. */
export interface GivenLease {
  readonly owner: string;
  readonly until: number;
}

/** A table whose rows are tasks to be leased. They come as lists of columns, which cost less than objects. */
export interface LeaseTable<Row extends KeyedRow, Task, Fairness extends object> {
  readonly table: string;
  /** The condition for rows due at `at` that nobody holds. */
  readonly isDue: string;
  /** For each queue of rows, a select of the least `due_at`. */
  readonly queues: readonly string[];
  /** A select of {@link Row} without its condition, and the alias that the table has in it. */
  readonly select: string;
  readonly alias: string;
  /** The columns that a claim changes beside the lease, as SQL that ends in a comma. @default nothing */
  readonly claimed?: string;
  /** Prepares the choice of due rows, oldest first. Each table has its own, because fairness differs and decides the plan. */
  due(context: QueryContext): (request: DueRequest & Fairness) => readonly Row[];
  /** Puts the lease into a row that was read before it, as the claim does in the table. */
  lease(row: Row, given: GivenLease): void;
  /** Prepares turning rows into tasks. */
  tasks(context: QueryContext): (rows: readonly Row[]) => readonly Task[];
}

/** A table whose rows may also be leased by name. */
export interface NamedLeaseTable<Row extends KeyedRow, Task, Fairness extends object> extends LeaseTable<Row, Task, Fairness> {
  /** Prepares reading the names of the rows that {@link LeaseTable.due} chooses. */
  names(context: QueryContext): (request: DueRequest & Fairness) => readonly NamedRow[];
  /** Prepares the choice of those due rows whose next leases are named. */
  dueNamed(context: QueryContext): (named: readonly Lease[], request: DueRequest & Fairness) => readonly Row[];
}

/** What a look reads of a row. */
export interface NamedRow extends DueRow, NamedTask {}

/** The columns of a {@link NamedRow}. */
export const NAME_COLUMNS = "pk, tenant, due_at AS dueAt, id, fence";

/** Selects the rows of a table whose next leases are in `:named`. */
export function namedRows(table: string, alias: string): string {
  return `json_each(:named) l CROSS JOIN ${table} ${alias} ON ${alias}.id = l.value ->> 'id' AND ${alias}.fence = l.value ->> 'fence' - 1`;
}

/** Leases of the rows of one table. Most claims find nothing due. */
export function leases<Row extends KeyedRow, Task, Fairness extends object>(
  current: Current,
  table: LeaseTable<Row, Task, Fairness>,
): LeaseStorage<Task, Fairness> {
  return bind(current, {
    // An attempt's end makes room for the next claim: both are written at once.
    claim: writeTogetherIf(prepareHasDue(table), prepareClaim(table), []),
    leasedTo: read(prepareLeasedTo(table)),
    renew: write(prepareRenew(table)),
    lost: query(prepareLost(table)),
    nextDueInMs: query(prepareNextDue(table)),
  });
}

/** Leases of the rows of one table, which may also be leased by name. */
export function namedLeases<Row extends KeyedRow, Task, Fairness extends object>(
  current: Current,
  table: NamedLeaseTable<Row, Task, Fairness>,
): NamedLeaseStorage<Task, Fairness> {
  const named = bind(current, { due: read(prepareDue(table)), claimNamed: writeTogether(prepareClaimNamed(table)) });
  return { ...leases(current, table), ...named };
}

/** Looks at the rows that a claim would lease. */
function prepareDue<Row extends KeyedRow, Task, Fairness extends object>(of: NamedLeaseTable<Row, Task, Fairness>) {
  return (context: QueryContext) => {
    const names = of.names(context);
    // Nobody has claimed them yet.
    return (request: DueRequest & Fairness): readonly NamedTask[] =>
      names(request).map(({ id, tenant, fence }) => ({ id, tenant, fence: fence + 1 }));
  };
}

function prepareHasDue({ table, isDue }: { readonly table: string; readonly isDue: string }) {
  return ({ prepare }: QueryContext) => {
    const find = prepare<{ readonly at: Date }, { readonly pk: number }>(`SELECT pk FROM ${table} WHERE ${isDue} LIMIT 1`);
    return ({ at }: LeaseRequest): boolean => find.get({ at }) !== undefined;
  };
}

function prepareClaim<Row extends KeyedRow, Task, Fairness extends object>(of: LeaseTable<Row, Task, Fairness>) {
  return (context: QueryContext) => {
    const due = of.due(context);
    const lease = prepareLease(of)(context);
    return (request: LeaseRequest & Fairness): readonly Task[] => lease(due(request), request);
  };
}

function prepareClaimNamed<Row extends KeyedRow, Task, Fairness extends object>(of: NamedLeaseTable<Row, Task, Fairness>) {
  return (context: QueryContext) => {
    const due = of.dueNamed(context);
    const lease = prepareLease(of)(context);
    return (named: readonly Lease[], request: LeaseRequest & Fairness): readonly Task[] => lease(due(named, request), request);
  };
}

/** Leases rows that were chosen. */
function prepareLease<Row extends KeyedRow, Task, Fairness extends object>(of: LeaseTable<Row, Task, Fairness>) {
  const { table, claimed = "" } = of;
  return (context: QueryContext) => {
    const tasks = of.tasks(context);
    const lease = context.prepare<GivenLease & { readonly pks: readonly number[] }>(`
      UPDATE ${table} SET ${claimed} lease_owner = :owner, lease_until = :until, attempt = attempt + 1, fence = fence + 1
      WHERE pk IN (SELECT value FROM json_each(:pks))`);
    return (rows: readonly Row[], { owner, at, leaseMs }: LeaseRequest): readonly Task[] => {
      const given = { owner, until: at.getTime() + leaseMs };
      lease.run({ pks: rows.map(([pk]) => pk), ...given });
      for (const row of rows) {
        of.lease(row, given);
      }
      return tasks(rows);
    };
  };
}

/** A due row. */
export interface DueRow {
  readonly pk: number;
  readonly tenant: string;
  readonly dueAt: number;
}

/** How many due rows of all tenants a claim without some tenants looks at before it looks at each tenant's by themselves. */
const CANDIDATES = 200;

/**
 * Prepares finding the first due rows of tenants that a claim does not leave out, oldest first. One tenant may have a million
 * rows before all others: passing them one by one would take long. So it takes one step along an index of tenant and time for each tenant that
 * has any pending: until one is not left out, and, after the first few rows, for all of them.
 *
 * @param of the condition on rows that nobody holds, the columns of a {@link DueRow} and more, and a condition of `Values`
 */
export function prepareDueOfOthers<Row extends DueRow, Values extends object>(
  { prepare }: QueryContext,
  of: { readonly table: string; readonly isPending: string; readonly columns: string; readonly condition?: string },
) {
  interface Bounds {
    readonly at: Date;
    readonly limit: number;
  }
  const { table, isPending, columns, condition = "" } = of;
  const select = `SELECT ${columns} FROM ${table} WHERE ${isPending} AND due_at <= :at`;
  const first = prepare<Values & Bounds, Row>(`${select}${condition} ORDER BY due_at, pk LIMIT :limit`);
  const nextTenant = prepare<{ readonly after: string }, { readonly tenant: string | null }>(
    `SELECT min(tenant) AS tenant FROM ${table} WHERE ${isPending} AND tenant > :after`,
  );
  const dueOf = prepare<Values & Bounds & { readonly tenant: string }, Row>(`
    ${select} AND tenant = :tenant${condition} ORDER BY due_at, pk LIMIT :limit`);
  function* othersOf(except: ReadonlySet<string>): Generator<string> {
    for (
      let tenant = nextTenant.get({ after: "" })?.tenant;
      typeof tenant === "string";
      tenant = nextTenant.get({ after: tenant })?.tenant
    ) {
      if (!except.has(tenant)) {
        yield tenant;
      }
    }
  }
  return (values: Values & Pick<LeaseRequest, "at" | "exceptTenants">, limit: number): readonly Row[] => {
    const except = new Set(values.exceptTenants);
    // Often nobody else has any pending, which a step for each of these tenants tells.
    if (othersOf(except).next().done === true) {
      return [];
    }
    const candidates = first.all({ ...values, limit: Math.max(limit, CANDIDATES) });
    const found = candidates.filter(({ tenant }) => !except.has(tenant));
    if (found.length >= limit || candidates.length < CANDIDATES) {
      return found.slice(0, limit);
    }
    let due: readonly Row[] = [];
    // Once there are enough, only rows due before the last of them matter.
    let until = values.at;
    for (const tenant of othersOf(except)) {
      const own = dueOf.all({ ...values, at: until, tenant, limit });
      due = [...due, ...own].sort((left, right) => left.dueAt - right.dueAt || left.pk - right.pk).slice(0, limit);
      until = due.length < limit ? values.at : new Date(due.at(-1)?.dueAt ?? until);
    }
    return due;
  };
}

function prepareLeasedTo<Row extends KeyedRow, Task, Fairness extends object>({ select, alias, ...of }: LeaseTable<Row, Task, Fairness>) {
  return (context: QueryContext) => {
    const tasks = of.tasks(context);
    const find = context.prepareRows<{ readonly owner: string }, Row>(`
      ${select} WHERE ${alias}.lease_owner IS NOT NULL AND ${alias}.lease_owner = :owner ORDER BY ${alias}.due_at, ${alias}.pk`);
    return (owner: string): readonly Task[] => tasks(find.all({ owner }));
  };
}

function prepareRenew({ table }: { readonly table: string }) {
  return ({ prepare }: QueryContext) => {
    const renew = prepare<Lease & { readonly owner: string; readonly until: number }>(
      `UPDATE ${table} SET lease_until = :until WHERE id = :id AND lease_owner = :owner AND fence = :fence`,
    );
    return (owner: string, held: readonly Lease[], { at, leaseMs }: { readonly at: Date; readonly leaseMs: number }): readonly Lease[] =>
      held.filter(({ id, fence }) => renew.run({ id, fence, owner, until: at.getTime() + leaseMs }).changes > 0);
  };
}

type LostRow = Omit<LostLease, "until"> & { readonly until: number };

/** Looks at all leases, because few are held at any time. */
function prepareLost({ table }: { readonly table: string }) {
  return ({ prepare }: QueryContext) => {
    const lost = prepare<
      { readonly now: number; readonly furthest: number; readonly limit: number; readonly owner: string | null },
      LostRow
    >(`
      SELECT id, fence, lease_owner AS owner, lease_until AS "until", attempt FROM ${table}
      WHERE lease_owner IS NOT NULL AND (lease_owner <> :owner OR lease_until <= :now OR lease_until > :furthest)
      ORDER BY lease_until LIMIT :limit`);
    return ({ at, limit, furthestMs, notOwnedBy }: LostLeaseQuery): readonly LostLease[] => {
      // With null, `<>` matches no owner.
      const rows = lost.all({ now: at.getTime(), furthest: at.getTime() + furthestMs, limit, owner: notOwnedBy ?? null });
      return rows.map((row) => ({ ...row, until: new Date(row.until) }));
    };
  };
}

function prepareNextDue({ table, queues }: { readonly table: string; readonly queues: readonly string[] }) {
  return ({ prepare }: QueryContext) => {
    const leased = `SELECT lease_until FROM ${table} WHERE lease_owner IS NOT NULL ORDER BY lease_until LIMIT 1`;
    const times = [...queues, leased].map((one) => `SELECT * FROM (${one})`);
    const next = prepare<object, { readonly due: number | null }>(
      `SELECT min(due) AS due FROM (SELECT NULL AS due UNION ALL ${times.join(" UNION ALL ")})`,
    );
    return (at: Date): number | null => {
      const due = next.get({})?.due ?? null;
      return due === null ? null : Math.max(0, due - at.getTime());
    };
  };
}
