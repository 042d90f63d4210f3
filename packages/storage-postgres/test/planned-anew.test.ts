import type { ItemFilter, MatchingStep } from "@belfry/core/storage";
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
  const owner = { tenant, userId: "ann" };
  const filter = { priorities: ["high"] } satisfies ItemFilter;
  const at = new Date();
  expect(await storage.inbox.list(owner, { status: "all", filter, limit: 10 })).toMatchObject({ items: [{ seq: 1 }] });
  expect(await storage.inbox.list(owner, { status: "all", roomId: "blue", limit: 10 })).toMatchObject({ items: [] });
  expect(await storage.inbox.tally(owner, { places: ["active"], withPriorities: true, limit: 10 })).toMatchObject({
    tallies: { active: [{ priority: "high", count: 1 }] },
  });
  const step = { mark: "seen", at, places: ["active"], filter, after: 0, upTo: 9 } satisfies MatchingStep;
  expect(await storage.inbox.changeMatching(owner, step)).toMatchObject({ count: 1 });
  await storage.inbox.createFanOut(entry(["ann", "cat"]), 10);
  expect(await storage.inbox.fanOutNext(at)).toMatchObject({
    items: [
      { userId: "ann", seq: 2 },
      { userId: "cat", seq: 1 },
    ],
  });
  expect(await kept()).toEqual(before);
});
