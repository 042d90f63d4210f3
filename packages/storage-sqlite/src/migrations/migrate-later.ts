import { BelfryError } from "@belfry/core";
import { backgroundBefore, type Migration, type MigrationStep, type Numbered, nextContract } from "@belfry/core/storage";
import type { Database } from "better-sqlite3";
import type { Connection } from "../database/connection.ts";
import { makeMigrationsTable, readPlan, recordMigration } from "./migration-state.ts";

/** Runs everything that {@link migrationStep} has to do, to the end. */
export async function migrateLater(connection: Connection, migrations: readonly Migration[], mayContract: boolean): Promise<void> {
  for (;;) {
    if ((await migrationStep(connection, migrations, mayContract)) === "done") {
      return;
    }
    // The event loop is free between two steps.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Does the next small piece of the migrations that run once a storage is open. Two processes take turns. */
export async function migrationStep(
  connection: Connection,
  migrations: readonly Migration[],
  mayContract: boolean,
): Promise<MigrationStep> {
  const { database } = connection;
  const look = () => {
    const plan = readPlan(database, migrations);
    return { next: plan.later[0], contract: nextContract(plan, mayContract) };
  };
  const { next, contract } = await connection.read(look);
  if (next === undefined && contract === undefined) {
    return "done";
  }
  return connection.write((): MigrationStep => {
    makeMigrationsTable(database);
    const now = look();
    if (now.next !== undefined) {
      moveRows(database, now.next);
    } else if (now.contract !== undefined) {
      takeAway(database, migrations, now.contract);
    }
    return "more";
  });
}

/** Moves some rows, and notes the migration as done once there are none to move; answers whether there were. */
function moveRows(database: Database, migration: Numbered<"background" | "outside">): boolean {
  if (migration.phase === "outside") {
    throw new BelfryError("CONFIGURATION", `Migration ${migration.id} cannot run: SQLite does everything inside a transaction.`);
  }
  const isMoved = database.prepare(migration.sql).run().changes > 0;
  if (!isMoved) {
    recordMigration(database, migration);
  }
  return isMoved;
}

/** Moves the rows once more that older instances wrote after they had been moved, then takes away what those needed. */
function takeAway(database: Database, migrations: readonly Migration[], contract: Numbered<"contract">): void {
  const hasMoved = backgroundBefore(migrations, contract.id).some((migration) => moveRows(database, migration));
  if (!hasMoved) {
    database.exec(contract.sql);
    recordMigration(database, contract);
  }
}
