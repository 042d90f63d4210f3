import { describe } from "vitest";
import { usePostgresDatabase } from "./postgres-database.ts";
import type { ServiceDatabase } from "./service-database.ts";
import { useSqliteDatabase } from "./sqlite-database.ts";

/**
 * Declares the same tests for every storage: once on SQLite in memory and once on PostgreSQL. Services that a test makes
 * have to stop with it: see `stopsAfterTest`.
 *
 * @example
 * ```ts
 * onEveryStorage((database) => {
 *   test("a user gets one item", async () => {
 *     const notifications = stopsAfterTest(new NotificationService({ storage: database.storage() }));
 *     …
 *   });
 * });
 * ```
 */
export function onEveryStorage(declareTests: (database: ServiceDatabase) => void): void {
  describe("on SQLite", () => declareTests(useSqliteDatabase()));
  describe("on PostgreSQL", () => declareTests(usePostgresDatabase()));
}
