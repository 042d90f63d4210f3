import { doneBetween, WorkerGroup } from "../workers/worker-group.ts";

/** CPU of some deliveries, in microseconds. */
export interface DeliveriesCpu {
  /** Over all workers. */
  readonly workerMicros: number;
  readonly databaseMicros: number;
}

/** Deliveries before anything is measured. */
const WARM_UP = 2_000;
/** How long a run may take. */
const LIMIT_MS = 300_000;

/** Has so many workers do so many deliveries over a channel that does nothing. */
export function deliveriesBy(workers: number, deliveries: number): Promise<DeliveriesCpu> {
  return WorkerGroup.with({ name: "Belfry's own worker", redisUrl: "" }, workers, async (group) => {
    const drain = async () => {
      const left = await group.drain(LIMIT_MS);
      if (left > 0) {
        throw new Error(`${left} deliveries were left after ${LIMIT_MS} ms.`);
      }
    };
    await group.enqueue(WARM_UP);
    await group.start();
    await drain();
    await group.enqueue(deliveries);
    const before = await group.read();
    await drain();
    const { delivered, micros } = doneBetween(before, await group.read());
    return { workerMicros: delivered * micros.processes, databaseMicros: delivered * micros.server };
  });
}
