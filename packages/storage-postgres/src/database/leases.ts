import { isUuid } from "@belfry/core";
import type { DueRequest, Lease, LeaseRequest, LeaseStorage, NamedLeaseStorage, NamedTask } from "@belfry/core/storage";
import { type Bound, bind, run } from "./bind.ts";
import type { Session } from "./connection.ts";
import { prepareLost, prepareNextDue, type TimedTable } from "./lease-times.ts";
import { MovingTenants } from "./moving-tenants.ts";
import { lists, type Statement, type StorageTime, statement, timeOf } from "./statement.ts";
import type { TableNames } from "./table-names.ts";
import { type WalkedOn, type WalkReach, WalkStart } from "./walk-start.ts";

/** Makes statements that lease the rows that they choose, or that only look at them. */
export interface Choosing<Row extends readonly unknown[]> {
  /** `due` is a common table expression of that name with their `pk`. It takes so many `values`, from $3 on. */
  statement(operation: string, due: string, values: number): Statement<Row>;
  /** Whether no statement chooses what one before it has chosen. */
  readonly takes: boolean;
  /** Ends a select of rows that are to be leased: it locks them, without those that another claim is taking at this moment. `of` is the table's alias. */
  locked(of?: string): string;
}

/** Runs a statement of {@link Choosing}, for at most `limit` rows, with the values from $3 on. */
export type RunClaim<Row extends readonly unknown[]> = (
  run: Statement<Row>,
  limit: number,
  values: readonly unknown[],
) => Promise<readonly Row[]>;

/** A table whose rows are tasks to be leased. `Row` is a list of the columns: JSON objects would cost PostgreSQL as much as the lease itself. */
export interface LeaseTable<Row extends readonly unknown[], Task, Fairness extends object> extends TimedTable {
  /**
   * The columns of a row, over the table by its `alias` and what is joined to it. Content that several rows share may come
   * with the first one alone: see {@link ofFirst}.
   */
  columns(tables: TableNames): string;
  readonly alias: string;
  /**
   * Joins tables by the notification's key `pk`, which is null but for the first row of each notification: what several rows share
   * comes once. @default none
   */
  shared?(tables: TableNames, pk: string): string;
  /** The columns that a claim sets beside the lease, as SQL that ends in a comma. @default nothing */
  readonly claimed?: string;
  /** How the rows are walked by the times when they are due. With it, {@link choose} is asked for rows since a time. @default it never is */
  readonly walk?: DueWalk<Row, DueRequest & Fairness>;
  /**
   * Prepares the choice of due rows. It differs by what is fair, and decides the plan. A statement's value $1 is the time, $2 how many.
   */
  choose(tables: TableNames, choosing: Choosing<Row>): Choose<Row, DueRequest & Fairness & DueSince>;
  /** Makes tasks of rows, which come in one order. */
  tasks(rows: readonly Row[]): readonly Task[];
}

/** A walk along the times when rows are due. */
interface DueWalk<Row, Request> {
  /** When a row was due, in milliseconds. */
  dueAtOf(row: Row): number | null;
  reachOf(request: Request): WalkReach;
}

/** From when on due rows are chosen: see {@link WalkStart}. */
interface DueSince {
  /** Null for all of them. */
  readonly since: string | null;
}

/** Chooses due rows by statements that it runs. */
type Choose<Row extends readonly unknown[], Request> = (run: RunClaim<Row>, request: Request) => Promise<readonly Row[]>;

/** A table whose rows may also be leased by name. `Name` is what a look reads of a row: its id, tenant and fence, and what the choice goes by. */
export interface NamedLeaseTable<Row extends readonly unknown[], Task, Fairness extends object, Name extends NameRow = NameRow>
  extends LeaseTable<Row, Task, Fairness> {
  /** How rows are named that a claim would lease: chosen as {@link LeaseTable.choose} does. */
  readonly names: Pick<LeaseTable<Name, NamedTask, Fairness>, "columns" | "choose" | "walk">;
  /** Prepares the choice of those due rows whose next leases are named. */
  chooseNamed(tables: TableNames, choosing: Choosing<Row>): Choose<Row, DueRequest & Fairness & { readonly named: readonly Lease[] }>;
}

/** The beginning of what a look reads of a row. */
export type NameRow = readonly [id: string, tenant: string, fence: number, ...more: readonly unknown[]];

/**
 * Selects the rows whose next leases are the ids and fences in `$first` and the value after it, as `l` joined to the table `t`. As of
 * {@link keys}, the planner expects one row.
 */
export function namedRows(table: string, first: number): string {
  const named = `SELECT * FROM unnest($${first}::uuid[], $${first + 1}::int[]) AS n(id, fence) WHERE fence BETWEEN 1 AND 2147483647`;
  return `(${named}) l JOIN ${table} t ON t.id = l.id AND t.fence = l.fence - 1`;
}

/** A column that all rows of a notification share, in the first of them alone; else null. `alias` is the table's. */
export function ofFirst(alias: string, { columns, from }: { readonly columns: string; readonly from: string }): string {
  return `CASE WHEN row_number() OVER (PARTITION BY ${alias}.notification_pk ORDER BY ${alias}.due_at, ${alias}.pk) = 1
    THEN (SELECT to_json(o) FROM (SELECT ${columns} FROM ${from}) o) END`;
}

/**
 * The rows of `from`, which have a `pk`, as `k`. Because of the bounds the planner takes them for one row, and looks up by key what
 * is joined to them. Otherwise a plan made while a table was young reads all of it, until the database has analysed it.
 */
export function keys(from: string): string {
  return `(SELECT * FROM ${from} WHERE pk BETWEEN 0 AND 9223372036854775807) k`;
}

/** The chosen rows. Their keys are a list: for an unknown limit the planner expects a tenth of the table, and would read all of it to join. */
const CHOSEN = keys("unnest(ARRAY(SELECT pk FROM due)) AS l(pk)");

/** A select of a table's rows, in the order in which they are due. */
function selectRows(
  { alias, columns, shared }: Pick<LeaseTable<never, unknown, object>, "alias" | "columns" | "shared">,
  tables: TableNames,
  { from, where = "" }: { from: string; where?: string },
): string {
  const order = `${alias}.due_at, ${alias}.pk`;
  if (shared === undefined) {
    return `SELECT ${columns(tables)} FROM ${from} ${where} ORDER BY ${order}`;
  }
  const first = `CASE WHEN row_number() OVER (PARTITION BY ${alias}.notification_pk ORDER BY ${order}) = 1 THEN ${alias}.notification_pk END`;
  return `SELECT ${columns(tables)} FROM (SELECT ${alias}.*, ${first} AS first_of FROM ${from} ${where}) ${alias}
    ${shared(tables, `${alias}.first_of`)} ORDER BY ${order}`;
}

/** Leases of the rows of one table. */
export function leases<Row extends readonly unknown[], Task, Fairness extends object>(
  bound: Bound,
  table: LeaseTable<Row, Task, Fairness>,
  moving: MovingTenants = new MovingTenants(),
): LeaseStorage<Task, Fairness> {
  return bind(bound, {
    claim: run(prepareClaim(table, moving)),
    leasedTo: run(prepareLeasedTo(table)),
    renew: run(prepareRenew(table)),
    lost: run(prepareLost(table)),
    nextDueInMs: run(prepareNextDue(table)),
  });
}

/** Leases of the rows of one table, which may also be leased by name. */
export function namedLeases<Row extends readonly unknown[], Task, Fairness extends object, Name extends NameRow>(
  bound: Bound,
  table: NamedLeaseTable<Row, Task, Fairness, Name>,
): NamedLeaseStorage<Task, Fairness> {
  const moving = new MovingTenants();
  const named = bind(bound, { due: run(prepareDue(table, moving)), claimNamed: run(prepareClaimNamed(table, moving)) });
  return { ...leases(bound, table, moving), ...named };
}

/** Leases due rows, without those that another claim is taking at this moment. */
function prepareClaim<Row extends readonly unknown[], Task, Fairness extends object>(
  table: LeaseTable<Row, Task, Fairness>,
  moving: MovingTenants,
) {
  return (tables: TableNames, time: StorageTime) => {
    const choose = chosenSince(table, tables, table.choose(tables, leasing(table, tables)));
    return (request: LeaseRequest & Fairness) => async (session: Session) => {
      const runClaim = runLeasing<Row>(session, request, time);
      const rows = await moving.leaveOut({ session, tables }, request, {
        choose: (leaving) => choose({ session, at: time(request.at) }, runClaim, leaving),
        mayBeFull: ({ length }) => length === 0,
      });
      return table.tasks(rows);
    };
  };
}

/** Chooses due rows, from the beginning or from a time on. */
function chosenSince<Row extends readonly unknown[], Request>(
  { table, walk }: Pick<LeaseTable<Row, unknown, never>, "table"> & { readonly walk?: DueWalk<Row, Request> },
  tables: TableNames,
  choose: Choose<Row, Request & DueSince>,
) {
  const start = new WalkStart(tables[table]);
  return (on: WalkedOn, runClaim: RunClaim<Row>, request: Request): Promise<readonly Row[]> => {
    const from = (since: string | null) => choose(runClaim, { ...request, since });
    return walk === undefined ? from(null) : start.walk(on, { reach: walk.reachOf(request), from, timeOf: walk.dueAtOf });
  };
}

/** Leases rows that are due and named. */
function prepareClaimNamed<Row extends readonly unknown[], Task, Fairness extends object>(
  table: Omit<NamedLeaseTable<Row, Task, Fairness>, "names">,
  moving: MovingTenants,
) {
  return (tables: TableNames, time: StorageTime) => {
    const choose = table.chooseNamed(tables, leasing(table, tables));
    return (given: readonly Lease[], request: LeaseRequest & Fairness) => async (session: Session) => {
      const runClaim = runLeasing<Row>(session, request, time);
      const named = given.filter(({ id }) => isUuid(id));
      const rows = await moving.leaveOut({ session, tables }, request, {
        choose: (leaving) => choose(runClaim, { ...leaving, named }),
        mayBeFull: ({ length }) => length === 0 && named.length > 0,
      });
      return table.tasks(rows);
    };
  };
}

/** Looks at the rows that a claim would lease. */
function prepareDue<Task, Fairness extends object, Name extends NameRow>(
  { table, alias, names }: Pick<NamedLeaseTable<never, Task, Fairness, Name>, "table" | "alias" | "names">,
  moving: MovingTenants,
) {
  return (tables: TableNames, time: StorageTime) => {
    const from = `${tables[table]} ${alias} JOIN ${CHOSEN} ON ${alias}.pk = k.pk`;
    const choose = chosenSince(
      { ...names, table },
      tables,
      names.choose(tables, {
        statement: (operation, due) =>
          statement(`look_to_${operation}`, `WITH ${due} ${selectRows({ ...names, alias }, tables, { from })}`),
        locked: () => "",
        takes: false,
      }),
    );
    return (request: DueRequest & Fairness) =>
      async (session: Session): Promise<readonly NamedTask[]> => {
        const runLook: RunClaim<Name> = (one, limit, values) => session.rows(one, [time(request.at), limit, ...values]);
        const rows = await moving.leaveOut({ session, tables }, request, {
          choose: (leaving) => choose({ session, at: time(request.at) }, runLook, leaving),
          mayBeFull: ({ length }) => length > 0,
        });
        // Nobody has claimed them yet.
        return rows.map(([id, tenant, fence]) => ({ id, tenant, fence: fence + 1 }));
      };
  };
}

/** The values of a claim end with the owner and the length of the lease. */
function runLeasing<Row extends readonly unknown[]>(
  session: Session,
  { owner, at, leaseMs }: LeaseRequest,
  time: StorageTime,
): RunClaim<Row> {
  return (one, limit, values) => session.rows(one, [time(at), limit, ...values, owner, leaseMs]);
}

function leasing<Row extends readonly unknown[]>(table: LeaseTable<Row, unknown, never>, tables: TableNames): Choosing<Row> {
  const { alias, claimed = "" } = table;
  return {
    statement: (operation, due, values) =>
      statement(
        operation,
        `WITH ${due},
        ${alias} AS (
          UPDATE ${tables[table.table]} t SET ${claimed} lease_owner = $${values + 3},
            lease_until = (SELECT ${timeOf("$1")} + $${values + 4} * interval '1 millisecond'), attempt = t.attempt + 1, fence = t.fence + 1
          FROM ${CHOSEN} WHERE t.pk = k.pk RETURNING t.*
        )
        ${selectRows(table, tables, { from: alias })}`,
      ),
    locked: (of) => `FOR UPDATE ${of === undefined ? "" : `OF ${of} `}SKIP LOCKED`,
    takes: true,
  };
}

function prepareLeasedTo<Row extends readonly unknown[], Task, Fairness extends object>(domain: LeaseTable<Row, Task, Fairness>) {
  const { name, table, alias } = domain;
  return (tables: TableNames) => {
    const held = `WHERE ${alias}.lease_owner IS NOT NULL AND ${alias}.lease_owner = $1`;
    const find = statement<Row>(`${name}_leased_to`, selectRows(domain, tables, { from: `${tables[table]} ${alias}`, where: held }));
    return (owner: string) => async (session: Session) => domain.tasks(await session.rows(find, [owner]));
  };
}

function prepareRenew({ name, table }: Pick<LeaseTable<never, unknown, object>, "name" | "table">) {
  return (tables: TableNames, time: StorageTime) => {
    // Names the ids twice: a plan that was made while the table was small, and is kept, would otherwise read all of it.
    const renew = statement<[id: string]>(
      `renew_${name}`,
      `UPDATE ${tables[table]} t SET lease_until = ${timeOf("$4")} + $5 * interval '1 millisecond'
      FROM unnest($1::uuid[], $2::int[]) AS e(id, fence) WHERE t.id = e.id AND t.id = ANY ($1::uuid[]) AND t.fence = e.fence AND t.lease_owner = $3 RETURNING t.id`,
    );
    return (owner: string, given: readonly Lease[], { at, leaseMs }: { readonly at: Date; readonly leaseMs: number }) =>
      async (session: Session): Promise<readonly Lease[]> => {
        const named = given.filter(({ id }) => isUuid(id));
        const values = [...lists(named, "id", "fence"), owner, time(at), leaseMs];
        const held = new Set((await session.rows(renew, values)).map(([id]) => id));
        return named.filter(({ id }) => held.has(id.toLowerCase()));
      };
  };
}
