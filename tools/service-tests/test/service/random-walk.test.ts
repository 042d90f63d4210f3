import fc from "fast-check";
import { expect, test } from "vitest";
import { migratedSqlite } from "../../../../packages/storage-sqlite/test/migrated-sqlite.ts";
import { ServiceWalk, step, walkOptions } from "../walk/service-walk.ts";

const RUNS = process.env.BELFRY_LONG ? 10_000 : 60;
const TIMEOUT_MS = process.env.BELFRY_LONG ? 1_800_000 : 600_000;
const MAX_STEPS = 12;

/** Repeats the walks of a run whose seed a failure has printed. */
const { BELFRY_WALK_SEED: seed = "" } = process.env;

test(
  `whatever happens to a service in ${RUNS} random walks, it delivers what it accepts, answers every call, logs little and rests once it is stopped`,
  async () => {
    const walks = fc.asyncProperty(
      walkOptions,
      fc.array(step, { minLength: 1, maxLength: MAX_STEPS, size: "max" }),
      async (options, steps) => {
        const walk = new ServiceWalk(options, await migratedSqlite());
        await walk.walk(steps);
        expect(walk.wrong, "BELFRY_WALK_SEED repeats the walks of a seed").toEqual([]);
      },
    );
    await fc.assert(walks, { numRuns: RUNS, ...(seed === "" ? {} : { seed: Number(seed) }) });
  },
  TIMEOUT_MS,
);
