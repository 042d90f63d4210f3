import { type Logger, systemClock } from "@belfry/core";
import { type LaterMigrations, Loop } from "@belfry/core/storage";
import type { Pool } from "pg";
import { PartitionSteps } from "./partition-steps.ts";

/** How long a storage is open before it looks for the first time, in milliseconds: scripts have ended by then. */
const FIRST_LOOK_MS = 10_000;
const LOOK_MS = 600_000;
/** The pause after a step, or after a lock was waited for in vain, which leaves the table to others. */
const PAUSE_MS = 5_000;

/** The parts of {@link partitionUpkeep}. */
export interface PartitionUpkeepParts {
  readonly pool: Pool;
  readonly schema: string;
  readonly logger: Logger;
}

/**
 * Makes partitions ahead, and drops those that nothing needs, where a host has asked for partitions: several processes may do so at once. A stop ends the check
 * of a bound, which takes long.
 */
export function partitionUpkeep({ pool, schema, logger }: PartitionUpkeepParts): Pick<LaterMigrations, "stop"> {
  const steps = new PartitionSteps(pool, schema);
  const stopped = new AbortController();
  const { signal } = stopped;
  const run = async () => {
    try {
      return (await steps.next(signal)) === "done" ? LOOK_MS : PAUSE_MS;
    } catch (error) {
      if (signal.aborted) {
        return null;
      }
      throw error;
    }
  };
  const loop = new Loop({ task: "keep its partitions", run, retryMs: LOOK_MS, level: "warn", clock: systemClock, logger });
  loop.wakeIn(FIRST_LOOK_MS);
  return {
    stop() {
      stopped.abort();
      return loop.stop();
    },
  };
}
