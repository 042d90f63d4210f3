import { NotificationService } from "@belfry/core";
import { expect, test } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { openPool, rowsOf, silent, useCleanup, useDatabase } from "./setup.ts";

const WAIT = { timeout: 20_000, interval: 10 };

const database = useDatabase();
const cleanup = useCleanup();

test("a delivery whose item is read while another transaction holds its notification's state is completed as read", async () => {
  const pool = openPool(database.url);
  cleanup(() => pool.end());
  const storage = postgresStorage(pool, { logger: silent });
  // One that delivers nothing: what it creates waits for the service below.
  const web = new NotificationService({ storage: postgresStorage(pool, { logger: silent }), delivery: { worker: false }, logger: silent });
  cleanup(() => web.stop());
  const { id } = await web.trackFromContract({ to: "ann", message: "Hello" });
  const holder = await pool.connect();
  cleanup(() => holder.release());
  await holder.query("BEGIN");
  await holder.query("SELECT FROM belfry_trackings FOR UPDATE");
  const { rows } = await holder.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");

  const notifications = new NotificationService({ storage, logger: silent });
  cleanup(() => notifications.stop());
  const done = notifications.runDue();
  const waiting = "SELECT query FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))";
  await expect.poll(() => rowsOf(pool, waiting, [rows[0]?.pid]), WAIT).toHaveLength(1);
  // Past the service, as by a process that ends before it settles what was read.
  await storage.inbox.markRead({ tenant: "default", userId: "ann" }, [id], new Date());
  await holder.query("COMMIT");
  await done;
  expect((await notifications.get(id)).status).toBe("delivered");
});
