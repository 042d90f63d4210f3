import type pg from "pg";
import { LoadProcess } from "../load/load-process.ts";
import type { WorkerTask } from "../load/worker-instance.ts";
import { numberIn, PostgresSetting } from "../settings/postgres.ts";

/** Processes that are about to deliver, and their database. */
export interface RunningWorkers {
  readonly pool: pg.Pool;
  /** The process that all of the server's are children of; null if it does not run on this machine. */
  readonly serverPid: number | null;
  /** Has all of them deliver. */
  start(): Promise<unknown>;
  /** CPU that they have used so far, all together. */
  cpuMicros(): Promise<number>;
}

/** Runs `work` beside so many processes that deliver: by BullMQ on a Redis, or without one by Belfry's own worker. */
export async function withWorkers<Result>(
  count: number,
  redisUrl: string,
  work: (workers: RunningWorkers) => Promise<Result>,
): Promise<Result> {
  const setting = await PostgresSetting.open();
  await setting.belfry("public", 1);
  const processes = Array.from({ length: count }, () => new LoadProcess("./worker-instance.ts", [setting.url, redisUrl]));
  const ask = (task: WorkerTask) => Promise.all(processes.map((one) => one.ask<{ readonly micros?: number }>(task)));
  const cpuMicros = async () => (await ask({ cpu: true })).reduce((sum, { micros = 0 }) => sum + micros, 0);
  try {
    await ask({ open: true });
    const serverPid = await setting.serverPid();
    return await work({ pool: setting.pool(2), serverPid, start: () => ask({ start: true }), cpuMicros });
  } finally {
    for (const one of processes) {
      one.stop();
    }
    await setting.close();
  }
}

/** How many deliveries wait. */
export function pendingIn(pool: pg.Pool): Promise<number> {
  return numberIn(pool, "SELECT count(*) FROM belfry_deliveries WHERE status = 'pending'");
}
