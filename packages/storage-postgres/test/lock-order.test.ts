import { NotificationService } from "@belfry/core";
import { expect, test } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { openPool, rowsOf, silent, useCleanup, useDatabase } from "./setup.ts";

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
