import SqliteDatabase, { type Database } from "better-sqlite3";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { Connection } from "../src/database/connection.ts";

describe("short writes of one turn of the event loop", () => {
  let database: Database;
  let connection: Connection;

  beforeEach(() => {
    database = new SqliteDatabase(":memory:");
    onTestFinished(() => void database.close());
    database.exec("CREATE TABLE notes (id INTEGER PRIMARY KEY)");
    connection = new Connection(database, 1_000);
  });

  const add = (id: number) =>
    connection.writeTogether(() => {
      database.prepare("INSERT INTO notes VALUES (?)").run(id);
      return id;
    });
  const ids = () => database.prepare("SELECT id FROM notes ORDER BY id").pluck().all();

  test("are done in their order, and each gets its own result", async () => {
    expect(await Promise.all([add(3), add(1), add(2)])).toEqual([3, 1, 2]);
    expect(ids()).toEqual([1, 2, 3]);
    expect(database.inTransaction).toBe(false);
  });

  test("nothing is written before its turn ends, and many are divided", async () => {
    const all = Array.from({ length: 100 }, (_, at) => at + 1);
    const added = all.map(add);
    expect(ids()).toEqual([]);
    expect(await Promise.all(added)).toEqual(all);
    expect(ids()).toEqual(all);
  });

  test("of which one fails, the others are done all the same, once each", async () => {
    const results = await Promise.allSettled([add(1), add(2), add(1), add(3)]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    expect(results[2]).toMatchObject({ reason: { code: "STORAGE_FAILED" } });
    expect(ids()).toEqual([1, 2, 3]);
  });

  test("wait for a transaction of the host together, and are no part of it", async () => {
    database.exec("BEGIN; INSERT INTO notes VALUES (9)");
    const added = Promise.all([add(1), add(2)]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ids()).toEqual([9]);
    database.exec("ROLLBACK");
    expect(await added).toEqual([1, 2]);
    expect(ids()).toEqual([1, 2]);
  });

  test("that wait in vain for a transaction of the host fail together, and not one after another", async () => {
    connection = new Connection(database, 20);
    database.exec("BEGIN");
    const added = [add(1), add(2), add(3)];
    await expect(Promise.race(added)).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    database.exec("COMMIT");
    expect((await Promise.allSettled(added)).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(await add(4)).toBe(4);
    expect(ids()).toEqual([4]);
  });
});
