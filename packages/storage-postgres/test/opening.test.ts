import { NotificationService } from "@belfry/core";
import { drizzle } from "drizzle-orm/node-postgres";
import { describe, expect, test } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { entry, openPool, silent, useCleanup, useDatabase } from "./setup.ts";

describe("opening", () => {
  const cleanup = useCleanup();
  const database = useDatabase();

  test("a connection string, a pool and a drizzle database are one and the same database", async () => {
    const pool = openPool(database.url);
    cleanup(() => pool.end());
    const sources = [database.url, pool, drizzle(pool)];
    for (const source of sources) {
      const storage = postgresStorage(source);
      await storage.open();
      cleanup(() => storage.close());
      await storage.inbox.createMany([entry("ann")]);
    }
    const last = postgresStorage(pool);
    await last.open();
    expect((await last.inbox.counts({ tenant: "acme", userId: "ann" })).total).toBe(3);
    await last.close();
    // A pool that was passed in stays open.
    expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });

  test.each([null, undefined, "", 7, {}, () => undefined])("%s is no database, and is refused with what to pass", (source) => {
    expect(() => postgresStorage(source as string)).toThrowError(
      expect.objectContaining({ code: "CONFIGURATION", message: expect.stringMatching(/Pass a connection string, a pg Pool/) }),
    );
  });

  test("a server that is not there gives a retryable error that says so, and a later call may succeed", async () => {
    const storage = postgresStorage("postgres://nobody:secret@127.0.0.1:1/none", { logger: silent });
    const error = await storage.open().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "STORAGE_UNAVAILABLE", retryable: true, message: expect.stringMatching(/ECONNREFUSED/) });
    expect(String(error)).not.toContain("secret");
    await storage.close();
  });

  test.each([
    [
      "a database that does not exist",
      { pathname: "/nothing-here" },
      'database "nothing-here" does not exist). Nothing was written. Create it',
    ],
    [
      "a password that is another",
      { password: "wrong" },
      'failed for user "postgres"). Nothing was written. Correct the user and the password',
    ],
  ])("%s is refused with what to do", async (_, change, message) => {
    const storage = postgresStorage(Object.assign(new URL(database.url), change).href, { logger: silent });
    await expect(storage.open()).rejects.toMatchObject({ code: "STORAGE_FAILED", message: expect.stringContaining(message) });
    await storage.close();
  });

  test("operations before open say what to do", async () => {
    const storage = postgresStorage(database.url);
    await expect(storage.inbox.counts({ tenant: "t", userId: "u" })).rejects.toMatchObject({
      code: "STORAGE_UNAVAILABLE",
      message: expect.stringMatching(/open\(\)/),
    });
  });

  test("a schema of any name holds an installation of its own", async () => {
    const schemas = ["Über Schema", 'with "quotes"', "public"];
    for (const schema of schemas) {
      const service = new NotificationService({ storage: postgresStorage(database.url, { schema, logger: silent }), logger: silent });
      await service.create({ to: "zoe", title: schema });
      const { items } = await service.inbox("zoe").list();
      expect(items.map(({ title }) => title)).toEqual([schema]);
      await service.stop();
    }
  });
});
