import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { sqliteStorage } from "../src/index.ts";
import { entry, useCleanup } from "./setup.ts";

/** How many turns of the event loop pass while `work` runs. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns += 1;
    if (!isOver) {
      setImmediate(count);
    }
  };
  setImmediate(count);
  await work();
  isOver = true;
  return turns;
}

describe("an operator's questions over many rows", () => {
  const cleanup = useCleanup();

  async function filled() {
    const database = new Database(":memory:");
    cleanup(() => database.close());
    const storage = sqliteStorage(database);
    await storage.open();
    const users = Array.from({ length: 20_000 }, (_, index) => `u${index}`);
    const broadcast = entry([...users].sort());
    await storage.inbox.createMany([broadcast, ...users.map((user) => entry(user))]);
    return { storage, database, broadcast: broadcast.notification.id };
  }

  test("others get their turns meanwhile, and may write", async () => {
    const { storage, broadcast } = await filled();
    const { activity } = storage;
    // Their ids are of this day, so it has to look at each.
    const none = { before: new Date(Date.now() - 3_600_000), limit: 10 };
    expect(await turnsDuring(() => activity.search("acme", none))).toBeGreaterThanOrEqual(20);
    expect(await turnsDuring(() => activity.count("acme", { type: "note" }, 10_000))).toBeGreaterThanOrEqual(10);
    expect(await turnsDuring(() => activity.itemsOf("acme", broadcast, 10))).toBeGreaterThanOrEqual(4);
    const done: string[] = [];
    await Promise.all([
      activity.search("acme", none).then(() => done.push("found")),
      Promise.resolve(storage.inbox.createMany([entry("ann")])).then(() => done.push("written")),
    ]);
    expect(done).toEqual(["written", "found"]);
  });

  test("a notification deleted between two steps is left out, and the page is still full", async () => {
    const { storage, database } = await filled();
    const newest = await storage.activity.search("acme", { limit: 30 });
    // Comes after the step that finds the keys, and before the one that reads what they stand for.
    setImmediate(() => database.exec(`DELETE FROM belfry_notifications WHERE id = '${newest[3]?.id}'`));
    const page = await storage.activity.search("acme", { limit: 20 });
    expect(page).toEqual(newest.filter((_, index) => index !== 3).slice(0, 20));
  });
});
