import { freshDatabase } from "@belfry/postgres-launcher";
import { upgradeSuite } from "@belfry/testkit";
import { migrate, postgresStorage } from "../src/index.ts";
import { MIGRATIONS } from "../src/migrations/index.ts";
import { migrateAtOpen } from "../src/migrations/migrate.ts";
import { openPool, silent } from "./setup.ts";

upgradeSuite("PostgreSQL", {
  migrations: MIGRATIONS.length,
  async create(count, rows) {
    const database = await freshDatabase();
    const pool = openPool(database.url, 4);
    await migrateAtOpen(pool, { schema: "public", migrations: MIGRATIONS.slice(0, count) });
    for (const { table, values } of rows) {
      const names = Object.keys(values);
      await pool.query(
        `INSERT INTO ${table} (${names.join(", ")}) OVERRIDING SYSTEM VALUE VALUES (${names.map((_, index) => `$${index + 1}`).join(", ")})`,
        Object.values(values),
      );
    }
    return {
      async open() {
        const storage = postgresStorage(pool, { logger: silent });
        await storage.open();
        return storage;
      },
      migrated: () => migrate(pool, { cleanup: true }),
      async dispose() {
        await pool.end();
        await database.drop();
      },
    };
  },
});
