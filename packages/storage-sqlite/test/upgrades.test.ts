import { type PublishedValue, upgradeSuite } from "@belfry/testkit";
import Database from "better-sqlite3";
import { Connection } from "../src/database/connection.ts";
import { migrate, sqliteStorage } from "../src/index.ts";
import { MIGRATIONS } from "../src/migrations/index.ts";
import { migrateAtOpen } from "../src/migrations/migrate.ts";

function toSqlite(value: PublishedValue): unknown {
  if (value instanceof Date) {
    return value.getTime();
  }
  return Array.isArray(value) ? JSON.stringify(value) : typeof value === "boolean" ? Number(value) : value;
}

upgradeSuite("SQLite", {
  migrations: MIGRATIONS.length,
  async create(count, rows) {
    const database = new Database(":memory:");
    await migrateAtOpen(new Connection(database, 1_000), MIGRATIONS.slice(0, count));
    for (const { table, values } of rows) {
      const names = Object.keys(values);
      database
        .prepare(`INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`)
        .run(Object.values(values).map(toSqlite));
    }
    return {
      async open() {
        const storage = sqliteStorage(database);
        await storage.open();
        return storage;
      },
      migrated: () => migrate(database, { cleanup: true }),
      async dispose() {
        database.close();
      },
    };
  },
});
