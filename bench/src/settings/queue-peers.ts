import { Logger, makeWorkerUtils, run } from "graphile-worker";
import type pg from "pg";
import { PgBoss } from "pg-boss";
import type { Side } from "../harness/row.ts";
import { BATCH } from "./noop-channel.ts";

/** A queue of others, with what ends it. */
export interface Peer {
  readonly side: Side;
  close(): Promise<void>;
}

const QUEUE = "bench";
const silent = new Logger(() => () => {});

/** graphile-worker's own advice for throughput: take many jobs at once, and complete them in batches. */
const POOL = 10;
const TUNED = {
  worker: { concurrentJobs: BATCH, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0, pollInterval: 100 },
};

/** pg-boss: fetch and complete, a batch at a time. It writes no row about the attempt. */
export async function pgBoss(connectionString: string): Promise<Peer> {
  const boss = new PgBoss({ connectionString, max: 1, supervise: false, schedule: false });
  await boss.start();
  await boss.createQueue(QUEUE);
  const drain = async () => {
    for (;;) {
      const jobs = await boss.fetch(QUEUE, { batchSize: BATCH });
      if (jobs.length === 0) {
        return;
      }
      await boss.complete(
        QUEUE,
        jobs.map(({ id }) => id),
      );
    }
  };
  let done = 0;
  const side: Side = {
    name: "pg-boss",
    step: BATCH,
    async run(count, watch) {
      await watch.without(() =>
        boss.insert(
          QUEUE,
          Array.from({ length: count }, (_, index) => ({ data: { index } })),
        ),
      );
      await drain();
      done += count;
    },
    async work() {
      const left = await boss.fetch(QUEUE, { batchSize: 1 });
      if (left.length > 0) {
        throw new Error("pg-boss did not complete all of its jobs.");
      }
      return { deliveries: done };
    },
  };
  return { side, close: () => boss.stop({ graceful: false }) };
}

/** graphile-worker with its options for throughput. Its runner runs all the time; jobs become visible all at once. */
export async function graphileWorker(connectionString: string, pool: pg.Pool): Promise<Peer> {
  let done = 0;
  let awaited = Number.POSITIVE_INFINITY;
  let resolve: () => void = () => {};
  const utils = await makeWorkerUtils({ connectionString, logger: silent });
  await utils.migrate();
  await utils.release();
  const runner = await run({
    connectionString,
    maxPoolSize: POOL,
    logger: silent,
    noHandleSignals: true,
    preset: TUNED,
    taskList: {
      noop: async () => {
        done += 1;
        if (done >= awaited) {
          resolve();
        }
      },
    },
  });
  const side: Side = {
    name: "graphile-worker",
    step: BATCH,
    async run(count, watch) {
      const client = await pool.connect();
      const all = new Promise<void>((settle) => {
        [awaited, resolve] = [done + count, settle];
      });
      await watch.without(async () => {
        await client.query("BEGIN");
        await client.query(
          "SELECT graphile_worker.add_jobs(ARRAY(SELECT json_populate_record(null::graphile_worker.job_spec, json_build_object('identifier', 'noop', 'payload', json_build_object('n', n))) FROM generate_series(1, $1::int) AS n))",
          [count],
        );
      });
      await client.query("COMMIT");
      await all;
      client.release();
    },
    work: () => ({ deliveries: done }),
  };
  return { side, close: () => runner.stop() };
}
