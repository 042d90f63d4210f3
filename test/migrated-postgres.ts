import { postgresStorage } from "../packages/storage-postgres/src/index.ts";
import { type FreshDatabase, freshDatabase } from "../tools/postgres-launcher/src/index.ts";

/** Creates a database in PostgreSQL that has Belfry's tables already: a test run migrates once, and copies the result. */
export function migratedPostgres(): Promise<FreshDatabase> {
  return freshDatabase({ name: "migrated", write: migrateAt });
}

async function migrateAt(url: string): Promise<void> {
  const storage = postgresStorage(url);
  await storage.open();
  await storage.close();
}
