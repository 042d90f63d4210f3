import { backgroundBefore, type MigrationStep, type Numbered, nextContract } from "@belfry/core/storage";
import type { Pool } from "pg";
import { Connection, type Session } from "../database/connection.ts";
import { wrapError } from "../database/errors.ts";
import { statement } from "../database/statement.ts";
import { quoteIdentifier } from "../database/table-names.ts";
import { MIGRATION_TIMEOUT_MS, type MigrationTarget, readPlan, recordMigration, useSchema } from "./migration-state.ts";

/** How long a caller that wants everything done waits before it looks again whether the instance that is at it has ended. */
const BUSY_DELAY_MS = 100;
/** One instance at a time; nobody ever waits for it, so that CREATE INDEX CONCURRENTLY, which waits for others, meets no circle. */
const LATER_LOCK = "hashtextextended('belfry_migrations later ' || $1, 0)";

/** How far a step may go. */
export interface StepOptions {
  /** Whether the host says that no older instance is left. @default false */
  readonly mayContract?: boolean;
  /** Ends a statement that takes long. */
  readonly signal?: AbortSignal;
}

/** Runs everything that {@link migrationStep} has to do, to the end. */
export async function migrateLater(pool: Pool, target: MigrationTarget, options: StepOptions = {}): Promise<void> {
  try {
    for (;;) {
      const went = await migrationStep(pool, target, options);
      if (went === "done") {
        return;
      }
      if (went === "busy") {
        await new Promise((resolve) => setTimeout(resolve, BUSY_DELAY_MS));
      }
    }
  } catch (error) {
    throw wrapError(error);
  }
}

/** Does the next small piece of the migrations that run once a storage is open. */
export async function migrationStep(
  pool: Pool,
  target: MigrationTarget,
  { mayContract = false, signal }: StepOptions = {},
): Promise<MigrationStep> {
  const connection = new Connection(pool, { prepared: false, timeoutMs: MIGRATION_TIMEOUT_MS });
  const plan = await readPlan(connection, target);
  const [next] = plan.later;
  if (next?.phase === "outside") {
    return runOutside(connection, { target, migration: next, signal });
  }
  if (next !== undefined) {
    const went = await moveRows(connection, target, next);
    return went === "done" ? "more" : went;
  }
  const contract = nextContract(plan, mayContract);
  return contract === undefined ? "done" : runContract(connection, target, contract);
}

/** Moves some rows, and notes the migration as done once there are none to move; `done` says so. */
function moveRows(connection: Connection, { schema }: MigrationTarget, migration: Numbered<"background">): Promise<MigrationStep> {
  return connection.transaction(async (session, client) => {
    if (!(await takeLock(session, { schema, isOfSession: false }))) {
      return "busy";
    }
    await useSchema(client, schema);
    const { rowCount } = await client.query(migration.sql);
    if ((rowCount ?? 0) > 0) {
      return "more";
    }
    await recordMigration(client, migration);
    return "done";
  });
}

interface Outside {
  readonly target: MigrationTarget;
  readonly migration: Numbered<"outside">;
  readonly signal: AbortSignal | undefined;
}

/** Runs statements one by one, each on its own, and notes the migration as done after the last. */
function runOutside(connection: Connection, { target, migration, signal }: Outside): Promise<MigrationStep> {
  return connection.alone(signal, async (session, client) => {
    if (!(await takeLock(session, { schema: target.schema, isOfSession: true }))) {
      return "busy";
    }
    await client.query(`SET search_path = ${quoteIdentifier(target.schema)}`);
    for (const sql of migration.statements) {
      await client.query(sql);
    }
    await recordMigration(client, migration);
    return "more";
  });
}

/** Moves the rows once more that older instances wrote after they had been moved, then takes away what those needed. */
async function runContract(connection: Connection, target: MigrationTarget, migration: Numbered<"contract">): Promise<MigrationStep> {
  for (const earlier of backgroundBefore(target.migrations, migration.id)) {
    const went = await moveRows(connection, target, earlier);
    if (went !== "done") {
      return went;
    }
  }
  return connection.transaction(async (session, client) => {
    if (!(await takeLock(session, { schema: target.schema, isOfSession: false }))) {
      return "busy";
    }
    if ((await readPlan(session, target)).contract.some(({ id }) => id === migration.id)) {
      await useSchema(client, target.schema);
      await client.query(migration.sql);
      await recordMigration(client, migration);
    }
    return "more";
  });
}

/** Takes the lock if it is free: until the end of the transaction, or of the session. */
async function takeLock(session: Session, { schema, isOfSession }: { readonly schema: string; readonly isOfSession: boolean }) {
  const lock = isOfSession ? "pg_try_advisory_lock" : "pg_try_advisory_xact_lock";
  const [[isTaken] = [false]] = await session.rows(statement<[boolean]>("later_lock", `SELECT ${lock}(${LATER_LOCK})`), [schema]);
  return isTaken;
}
