import { NotificationService } from "@belfry/core";
import { postgresStorage } from "@belfry/storage-postgres";
import type { Comparison, Row, Scale, Side } from "../harness/row.ts";
import { bullMq } from "../settings/bullmq.ts";
import { deliveredInPostgres, enqueueInPostgres, RawPostgresDeliverer } from "../settings/due-postgres.ts";
import { BATCH, noopChannel, TURNS } from "../settings/noop-channel.ts";
import { PostgresSetting } from "../settings/postgres.ts";
import { graphileWorker, pgBoss } from "../settings/queue-peers.ts";

const DONE_BEFORE = 100_000;
/** A slice drains no fewer: to begin and end a drain, Belfry also asks whether anything else is due, and starts its pipeline. */
const DRAINED = 20 * BATCH;

/** Each side has its own jobs, in tables that hold many that are done. Writing them is outside the time. */
async function open(scale: Scale): Promise<Comparison> {
  const setting = await PostgresSetting.open();
  const admin = setting.pool(1);
  const pool = setting.pool(1);
  const service = new NotificationService({
    storage: postgresStorage(pool, { schema: "belfry" }),
    channels: [noopChannel()],
    delivery: { concurrency: TURNS },
  });
  await service.inbox("nobody").counts();
  await (await setting.belfry("raw", 1)).service.stop();
  const raw = new RawPostgresDeliverer(setting.pool(1), "raw");
  for (const schema of ["belfry", "raw"]) {
    await enqueueInPostgres(admin, schema, scale.of(DONE_BEFORE));
    await new RawPostgresDeliverer(admin, schema).drain();
  }
  await admin.query("VACUUM ANALYZE");
  const side = (name: string, drain: () => Promise<void>): Side => ({
    name,
    step: DRAINED,
    async run(count, watch) {
      await watch.without(() => enqueueInPostgres(admin, name, count));
      await drain();
    },
    work: () => deliveredInPostgres(admin, name),
  });
  const peers = [await pgBoss(setting.url), await graphileWorker(setting.url, admin), await bullMq()].filter((peer) => peer !== null);
  const sides = [side("belfry", () => service.runDue()), side("raw", () => raw.drain()), ...peers.map((peer) => peer.side)];
  const notes = sides.some(({ name }) => name === "BullMQ") ? [] : ["BullMQ: skipped: there is no Redis; name one in REDIS_URL"];
  const close = async () => {
    await service.stop();
    await Promise.all(peers.map((peer) => peer.close()));
    await setting.close();
  };
  return { sides, notes, knobs: await setting.knobs(), serverPid: await setting.serverPid(), close };
}

export const row: Row = {
  id: "6a",
  what: `PostgreSQL claim and complete, ${BATCH} a batch`,
  cases: [
    {
      name: "PostgreSQL",
      goals: [
        { ratio: "rate", against: "raw", atLeast: 0.6 },
        { ratio: "rate", against: "pg-boss", atLeast: 0.8 },
      ],
      open,
    },
  ],
};
