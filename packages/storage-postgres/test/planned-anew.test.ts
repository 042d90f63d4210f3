import { expect, test } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { entry, openPool, rowsOf, silent, useCleanup, useDatabase } from "./setup.ts";

const database = useDatabase();
const cleanup = useCleanup();

test("what looks up a row for each of very many others leaves no plan behind, which tables may outgrow", async () => {
  const pool = openPool(database.url, 1);
  const storage = postgresStorage(pool, { logger: silent });
  cleanup(async () => {
    await storage.close();
    await pool.end();
  });
  await storage.open();
  const created = entry(["ann", "bob"]);
  await storage.inbox.createMany([created]);
  const { tenant, id } = created.notification;
  const kept = async () => await rowsOf(pool, "SELECT name FROM pg_prepared_statements WHERE statement LIKE '%belfry_inbox_counters%'");
  expect(await kept()).not.toEqual([]);
  const before = await kept();
  expect(await storage.activity.itemsOf(tenant, id, 10)).toMatchObject({ items: [{ userId: "ann" }, { userId: "bob" }], total: 2 });
  expect(await storage.inbox.ownersOf(tenant, id, { after: "", limit: 10 })).toEqual({ users: ["ann", "bob"], next: null });
  expect(await kept()).toEqual(before);
});
