import { BelfryError, requireOptions } from "@belfry/core";
import type { Pool } from "pg";
import { type DrizzlePostgresDatabase, poolOf } from "../database/connection.ts";
import { wrapError } from "../database/errors.ts";
import { DEFAULT_SCHEMA } from "../postgres-options.ts";
import { BOUND } from "./layout.ts";
import { PartitionSteps } from "./partition-steps.ts";

/** Where the tables are, and how large partitions are to be. */
export interface PartitionOptions {
  /** The PostgreSQL schema of Belfry's tables. @default "public" */
  readonly schema?: string;
  /** How many deliveries' attempts a partition is to have, from 1,000. @default 10_000_000 */
  readonly deliveries?: number;
}

const DELIVERIES = 10_000_000;
const FEWEST_DELIVERIES = 1_000;
/** How long it tries to get locks, in milliseconds, since it last got one, or last saw another process at work. */
const WAIT_MS = 600_000;
/** The pause before the next try, which leaves the table to others for much longer than a try keeps them waiting. */
const PAUSE_MS = 1_000;

/**
 * Keeps the attempts of deliveries in partitions, one after another in time, for databases whose largest table they are. The table that is there becomes the
 * first of them: nothing is copied, and processes go on writing and reading meanwhile. It changes nothing that Belfry answers.
 *
 * From then on, each storage that may migrate makes partitions ahead, and drops those whose deliveries are all gone. Where none may (`migrate: false`), call it
 * from time to time, as the owner of the tables: it does that, too. If it was interrupted, it goes on where it was. There is no way back.
 *
 * @param source a pg pool, or a drizzle database over one, whose user owns Belfry's tables
 * @throws BelfryError `CONFIGURATION` for options that are not valid, for tables that are not there, and while views, triggers, publications, policies,
 *   unique indexes or rights on columns of yours depend on the table; `INVALID_STATE` while a tenant moves; `STORAGE_UNAVAILABLE`, for example if a
 *   transaction held the table for ten minutes; `STORAGE_FAILED`
 *
 * @example
 * ```ts
 * await partition(new pg.Pool({ connectionString: process.env.DATABASE_URL }));
 * ```
 */
export async function partition(source: Pool | DrizzlePostgresDatabase, options: PartitionOptions = {}): Promise<void> {
  const pool = poolOf(source);
  if (pool === null) {
    throw new BelfryError(
      "CONFIGURATION",
      "partition got no pg Pool. Pass the pool whose database is to have partitions, or a drizzle database over it.",
    );
  }
  requireOptions("partition", options, { schema: true, deliveries: true } satisfies Record<keyof PartitionOptions, true>);
  const { schema = DEFAULT_SCHEMA, deliveries = DELIVERIES } = options;
  if (!(Number.isSafeInteger(deliveries) && deliveries >= FEWEST_DELIVERIES)) {
    throw new BelfryError("CONFIGURATION", `partition takes as deliveries a whole number from ${FEWEST_DELIVERIES}.`);
  }
  const steps = new PartitionSteps(pool, schema);
  try {
    await steps.ask(deliveries);
    await runAll(steps);
  } catch (error) {
    throw wrapError(error);
  }
}

async function runAll(steps: PartitionSteps): Promise<void> {
  for (let gotLockMs = performance.now(); ; ) {
    const went = await steps.next();
    if (went === "done") {
      return;
    }
    if (went !== "waited") {
      gotLockMs = performance.now();
    }
    if (went !== "more") {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    if (performance.now() - gotLockMs > WAIT_MS) {
      const kept = (await steps.lift()) ? "" : ` A bound (${BOUND}) stays on it, beyond which attempts will be refused: call it soon.`;
      const message =
        "The attempts of deliveries could not be partitioned: a transaction holds their table, or an index of it is not valid. Call partition again.";
      throw new BelfryError("STORAGE_UNAVAILABLE", `${message}${kept}`);
    }
  }
}
