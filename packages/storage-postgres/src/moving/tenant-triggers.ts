import type { PoolClient } from "pg";
import type { Connection } from "../database/connection.ts";
import { isLockTimeout } from "../database/errors.ts";
import { drainingTriggers, dropTrigger, freezingTriggers, type MovingTrigger, makeTrigger, type TriggerPlace } from "./freeze.ts";

/** How long a trigger waits for transactions that write to its table, in milliseconds; others wait behind it meanwhile. */
export const LOCK_TIMEOUT_MS = 1_000;
/** The pause before the next try, in milliseconds, and between two looks at what is under way. */
const LOOK_MS = 50;

/** Makes and drops the triggers of a tenant that moves. */
export class TenantTriggers {
  readonly #place: TriggerPlace;

  constructor(place: TriggerPlace) {
    this.#place = place;
  }

  /** Makes triggers, each until the deadline. */
  async make(where: Connection, triggers: readonly MovingTrigger[], deadlineMs: number): Promise<void> {
    await this.#eachLocking(
      where,
      triggers.map((trigger) => makeTrigger(trigger, this.#place)),
      deadlineMs,
    );
  }

  /** Drops all triggers of the tenant. */
  async drop(where: Connection, deadlineMs: number): Promise<void> {
    const triggers = [...freezingTriggers(), ...drainingTriggers(this.#place.tenant)];
    await this.#eachLocking(
      where,
      triggers.map((trigger) => [dropTrigger(trigger, this.#place)]),
      deadlineMs,
    );
  }

  /**
   * Runs transactions that wait for all who write to a table, one after another. Each gives up soon, since others wait behind it, and is tried again until the
   * deadline. None waits for the disk: the state that is written after them does.
   */
  async #eachLocking(where: Connection, transactions: readonly (readonly string[])[], deadlineMs: number): Promise<void> {
    const settings = `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}; SET LOCAL synchronous_commit = off`;
    await where.alone(undefined, async (_, client) => {
      for (const statements of transactions) {
        while (!(await isRun(client, ["BEGIN", settings, ...statements, "COMMIT"].join("; "), deadlineMs))) {
          await pause();
        }
      }
    });
  }
}

/** Runs a transaction. Returns false if it waited for a lock for too long, and may be tried again. */
async function isRun(client: PoolClient, transaction: string, deadlineMs: number): Promise<boolean> {
  try {
    await client.query(transaction);
    return true;
  } catch (error) {
    await client.query("ROLLBACK");
    if (!isLockTimeout(error) || performance.now() > deadlineMs) {
      throw error;
    }
    return false;
  }
}

/** Waits until the next try. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}
