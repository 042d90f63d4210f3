import { setTimeout } from "node:timers/promises";
import { readServerCpu, serverCpuBetween } from "../harness/server-cpu.ts";
import { enqueueInPostgres } from "../settings/due-postgres.ts";
import { pendingIn, withWorkers } from "../workers/running-workers.ts";

/** CPU of some deliveries, in microseconds. */
export interface DeliveriesCpu {
  /** Over all workers. */
  readonly workerMicros: number;
  readonly databaseMicros: number;
}

/** Deliveries before anything is measured. */
const WARM_UP = 2_000;
/** Often enough for what takes seconds; each look costs the database something. */
const LOOK_MS = 250;

/** Has so many workers do so many deliveries over a channel that does nothing. */
export function deliveriesBy(workers: number, deliveries: number): Promise<DeliveriesCpu> {
  return withWorkers(workers, "", async ({ pool, serverPid, start, cpuMicros }) => {
    const drain = async () => {
      while ((await pendingIn(pool)) > 0) {
        await setTimeout(LOOK_MS);
      }
    };
    const read = () => (serverPid === null ? new Map<number, number>() : readServerCpu(serverPid));
    await enqueueInPostgres(pool, "public", WARM_UP);
    await start();
    await drain();
    await enqueueInPostgres(pool, "public", deliveries);
    const [before, usedBefore] = [read(), await cpuMicros()];
    await drain();
    return { workerMicros: (await cpuMicros()) - usedBefore, databaseMicros: serverCpuBetween(before, read()) };
  });
}
