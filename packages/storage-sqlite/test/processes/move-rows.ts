// Takes migration step after step on the database at a path, with migrations given as JSON, and prints a line after each.

import type { Migration } from "@belfry/core/storage";
import Database from "better-sqlite3";
import { Connection } from "../../src/database/connection.ts";
import { migrationStep } from "../../src/migrations/migrate.ts";

const migrations = JSON.parse(process.argv[3] ?? "[]") as readonly Migration[];
const connection = new Connection(new Database(process.argv[2] ?? ""), 5_000);
let went = "more";
while (went === "more") {
  went = await migrationStep(connection, migrations, false);
  await new Promise<void>((resolve) => process.stdout.write(`${went}\n`, () => resolve()));
}
