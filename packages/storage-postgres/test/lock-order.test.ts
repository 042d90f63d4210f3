import { NotificationService } from "@belfry/core";
import { expect, test } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { entry, openPool, rowsOf, silent, useCleanup, useDatabase } from "./setup.ts";

const WAIT = { timeout: 20_000, interval: 10 };

const database = useDatabase();
const cleanup = useCleanup();

test("a deletion waits for whoever writes a part of the fan-out before it locks what that one locks last", async () => {
  const pool = openPool(database.url);
  cleanup(() => pool.end());
  const web = new NotificationService({ storage: postgresStorage(pool, { logger: silent }), delivery: { worker: false }, logger: silent });
  cleanup(() => web.stop());
  const { id } = await web.trackFromContract({ to: "ann", message: "Hello" });
  await pool.query("INSERT INTO belfry_fan_outs (tenant, notification_pk) SELECT tenant, pk FROM belfry_notifications");
  const holder = await pool.connect();
  cleanup(() => holder.release());
  await holder.query("BEGIN");
  await holder.query("SELECT FROM belfry_fan_outs FOR SHARE");
  const { rows } = await holder.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");

  const deleted = web.delete(id);
  const waiting = "SELECT query FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))";
  await expect.poll(() => rowsOf(pool, waiting, [rows[0]?.pid]), WAIT).toHaveLength(1);
  await holder.query("SELECT FROM belfry_trackings FOR UPDATE NOWAIT");
  await holder.query("COMMIT");
  await deleted;
  await expect(web.get(id)).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("changes of the same addresses lock them in one order, whatever order they come in", async () => {
  const pool = openPool(database.url);
  cleanup(() => pool.end());
  const storage = postgresStorage(pool, { logger: silent });
  await storage.open();
  cleanup(() => storage.close());
  const { suppressions } = storage;
  const about = { tenant: "acme", channel: "email", notificationId: "00000000-0000-0000-0000-000000000000" };
  const changes = ["ann@example.com", "bob@example.com"].map((address) => {
    return { ...about, address, kind: "suppress", reason: "hard_bounce", actor: "smtp", detail: null } as const;
  });
  await suppressions.change(changes, new Date());
  const holder = await pool.connect();
  cleanup(() => holder.release());
  const places = `SELECT hashtextextended('suppressions acme ' || place, 0) AS key, address FROM belfry_suppressions ORDER BY place`;
  const [first, second] = await rowsOf<{ readonly key: string; readonly address: string }>(pool, places);
  await holder.query("BEGIN");
  await holder.query("SELECT pg_advisory_xact_lock($1)", [first?.key]);
  const { rows } = await holder.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");

  const lastFirst = changes.toSorted((one) => (one.address === second?.address ? -1 : 1));
  const changed = suppressions.change(lastFirst, new Date());
  const waiting = "SELECT query FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))";
  await expect.poll(() => rowsOf(pool, waiting, [rows[0]?.pid]), WAIT).toHaveLength(1);
  const { rows: free } = await holder.query("SELECT pg_try_advisory_xact_lock($1) AS free", [second?.key]);
  await holder.query("COMMIT");
  await changed;
  expect(free).toEqual([{ free: true }]);
});

test("a chunk of a large create locks inboxes in the order of their users, whatever order they come in", async () => {
  const pool = openPool(database.url);
  cleanup(() => pool.end());
  const storage = postgresStorage(pool, { logger: silent });
  await storage.open();
  cleanup(() => storage.close());
  const tenant = "in-order";
  const crowd = Array.from({ length: 5_000 }, (_, index) => `user${(index * 2_477) % 5_000}`);
  const users = ["\u{1F600}", "\uFF5E", "Dan", ...crowd.slice(0, 50)];
  await storage.inbox.createMany([entry([...crowd, ...users.slice(0, 3)], { tenant })]);
  await pool.query("ANALYZE belfry_inbox_counters");
  await pool.query(`
    CREATE TABLE updated (place bigserial, user_id text);
    CREATE FUNCTION note_update() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO updated (user_id) VALUES (NEW.user_id); RETURN NEW; END';
    CREATE TRIGGER note_update BEFORE UPDATE ON belfry_inbox_counters FOR EACH ROW EXECUTE FUNCTION note_update()`);
  await storage.inbox.createFanOut(entry([...users, "eve"], { tenant }), 100);
  expect((await storage.inbox.fanOutNext(new Date()))?.items).toHaveLength(users.length + 1);
  const updated = await rowsOf<{ readonly user_id: string }>(pool, "SELECT user_id FROM updated ORDER BY place");
  const inOrder = users.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  expect(updated.map((row) => row.user_id)).toEqual(inOrder);
});
