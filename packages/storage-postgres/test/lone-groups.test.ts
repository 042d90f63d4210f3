import { expect, test, vi } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { entry, openPool, rowsOf, silent, useCleanup, useDatabase } from "./setup.ts";

const WAIT = { timeout: 20_000, interval: 10 };
const OWNER = { tenant: "acme", userId: "ann" };

const database = useDatabase();
const cleanup = useCleanup();

async function opened() {
  const pool = openPool(database.url);
  cleanup(() => pool.end());
  const storage = postgresStorage(pool, { logger: silent });
  await storage.open();
  await pool.query("TRUNCATE belfry_notifications, belfry_inbox_counters, belfry_inbox_items, belfry_inbox_groups CASCADE");
  const create = async (group: string, actor: string | null) => (await storage.inbox.createMany([entry("ann", { group, actor })]))[0]?.[0];
  const groupsOf = async () => (await storage.inbox.groups(OWNER, { status: "all", limit: 10 })).groups;
  return { pool, storage, create, groupsOf };
}

test("a lone item joins its group with one statement, which counts it and notes its actor", async () => {
  const { pool, storage, create, groupsOf } = await opened();
  await create("g", "bob");
  const asked = vi.spyOn(pool, "query");
  await create("g", 'cat "of" bob');
  expect(asked.mock.calls.filter(([config]) => JSON.stringify(config).includes("write_grouped"))).toHaveLength(1);
  expect(asked.mock.calls.length).toBe(1);
  await create("g", "bob");
  await create("g", null);
  await create("other", null);
  expect(await groupsOf()).toMatchObject([
    { group: "other", total: 1, unread: 1, actors: [], actorCount: 0, newest: { seq: 5 } },
    { group: "g", total: 4, unread: 4, actors: ["bob", 'cat "of" bob'], actorCount: 2, newest: { seq: 4 } },
  ]);
  await storage.inbox.markAllRead(OWNER, new Date());
  await create("g", "dan");
  expect(await groupsOf()).toMatchObject([
    { group: "g", total: 5, unread: 1, actors: ["bob", 'cat "of" bob', "dan"] },
    { group: "other", total: 1, unread: 0 },
  ]);
  for (let number = 0; number < 60; number += 1) {
    await create("g", `more ${number}`);
  }
  expect((await groupsOf())[0]).toMatchObject({ total: 65, actorCount: 50 });
});

test("it wakes the items of a group whose last active one another transaction puts off meanwhile", async () => {
  const { pool, create, groupsOf } = await opened();
  await create("g", null);
  const holder = await pool.connect();
  cleanup(() => holder.release());
  await holder.query("BEGIN");
  const { rows } = await holder.query<{ pid: number }>("SELECT pg_backend_pid() AS pid FROM belfry_inbox_counters FOR UPDATE");
  const created = create("g", null);
  const waiting = "SELECT query FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))";
  await expect.poll(() => rowsOf(pool, waiting, [rows[0]?.pid]), WAIT).toHaveLength(1);
  await holder.query("UPDATE belfry_inbox_items SET deleted_at = now(), snoozed_until = now() + interval '1 hour'");
  await holder.query("UPDATE belfry_inbox_counters SET total = 0, unread = 0, rev = rev + 1");
  await holder.query("UPDATE belfry_inbox_groups SET total = 0, unread = 0, newest_seq = 0");
  await holder.query("COMMIT");
  expect(await created).toMatchObject({ seq: 2, also: [{ change: "woken", items: [{ seq: 1 }] }] });
  expect(await groupsOf()).toMatchObject([{ group: "g", total: 2, unread: 2, newest: { seq: 2 } }]);
});
