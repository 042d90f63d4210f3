import type { Comparison, Row, Scale, Side } from "../harness/row.ts";
import { deliveredInSqlite, enqueuerInSqlite, rawSqliteDrain } from "../settings/due-sqlite.ts";
import { BATCH, noopChannel, TURNS } from "../settings/noop-channel.ts";
import { SqliteSetting } from "../settings/sqlite.ts";

const DONE_BEFORE = 100_000;

/** Each side has its own jobs, in tables that hold many that are done. Writing them is outside the time. */
async function open(scale: Scale): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const service = await setting.belfry("belfry.db", { channels: [noopChannel()], delivery: { concurrency: TURNS } });
  await setting.tables("raw.db");
  const side = async (name: string, drain: (() => Promise<void>) | null): Promise<Side> => {
    const database = setting.raw(`${name}.db`);
    const enqueue = enqueuerInSqlite(database);
    // Like Belfry, over a connection of its own: what is due was written by others.
    const byHand = rawSqliteDrain(setting.raw(`${name}.db`));
    enqueue(scale.of(DONE_BEFORE));
    await byHand();
    return {
      name,
      step: BATCH,
      async run(count, watch) {
        await watch.without(() => enqueue(count));
        await (drain ?? byHand)();
      },
      work: () => deliveredInSqlite(database),
    };
  };
  const sides = [await side("belfry", () => service.runDue()), await side("raw", null)];
  return { sides, knobs: setting.knobs("belfry.db", "raw.db"), close: () => setting.close() };
}

export const row: Row = {
  id: "6b",
  what: `SQLite claim and complete, ${BATCH} a batch`,
  cases: [{ name: "SQLite", goals: [{ ratio: "rate", against: "raw", atLeast: 0.5 }], open }],
};
