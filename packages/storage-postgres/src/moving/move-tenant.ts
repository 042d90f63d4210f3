import { BelfryError } from "@belfry/core";
import type { PoolClient } from "pg";
import { Connection } from "../database/connection.ts";
import { isLockTimeout, wrapError } from "../database/errors.ts";
import { statement } from "../database/statement.ts";
import { tableNames } from "../database/table-names.ts";
import { MIGRATION_TIMEOUT_MS } from "../migrations/migrate.ts";
import { CopyOfTenant } from "./copy-tenant.ts";
import {
  drainingTriggers,
  dropTrigger,
  freezingTriggers,
  type MovingTrigger,
  makeTrigger,
  movingFunctions,
  type TriggerPlace,
} from "./freeze.ts";
import { type MoveSettings, type MoveTenantOptions, moveSettings, type TenantMoveOptions } from "./move-options.ts";
import { movesIn } from "./moves.ts";
import { RemovalOfTenant } from "./remove-tenant.ts";
import { workUnderWay } from "./under-way.ts";

/** The result of {@link moveTenant}. */
export interface TenantMoved {
  /** How many rows were copied, by this call and those that were interrupted before. */
  readonly rows: number;
  /** How long nothing of the tenant could be written, as far as this call froze it, in milliseconds. */
  readonly frozenMs: number;
}

/**
 * Moves a tenant from one PostgreSQL database to another, with everything that it has: inboxes with their numbers and epochs, deliveries that are
 * not settled, preferences, topics, devices, digests, the hub and the audit log. Ids stay, so clients and receivers notice nothing.
 *
 * While it copies, the tenant's data may be read, and every write of it fails with `STORAGE_UNAVAILABLE` (over HTTP 503 with `Retry-After`), in all
 * processes and whatever their version; other tenants go on. Then it compares both copies, calls `switchOver`, and removes the old one. If it is interrupted,
 * call it again with the same options: it goes on where it was. If it fails before the switch, everything is as it was before.
 *
 * @throws BelfryError `CONFIGURATION` for options that are not valid, for databases that are not migrated equally far, and for data of the tenant in the other
 *   database; `INVALID_STATE` if another process moves the tenant, or if its work did not end within `drainMs`; `STORAGE_UNAVAILABLE`, `STORAGE_FAILED`
 * @example
 * ```ts
 * await moveTenant({ tenant: "acme", from, to, switchOver: () => places.set("acme", "eu") });
 * ```
 */
export async function moveTenant(options: MoveTenantOptions): Promise<TenantMoved> {
  const settings = moveSettings("moveTenant", options, { switchOver: true });
  if (typeof options.switchOver !== "function") {
    throw new BelfryError("CONFIGURATION", "moveTenant needs switchOver, a function that sends the tenant's calls to the new database.");
  }
  const move = new Move(settings);
  return await move.alone(() => move.run(() => options.switchOver()));
}

/**
 * Takes back a move that was interrupted before its switch: the tenant may be written again where it was, and what was copied is removed. It does nothing for
 * a tenant that does not move.
 *
 * @throws BelfryError `INVALID_STATE` if another process moves the tenant, or after the switch: call {@link moveTenant} again then
 *
 * @example
 * ```ts
 * await abandonMove({ tenant: "acme", from, to });
 * ```
 */
export async function abandonMove(options: TenantMoveOptions): Promise<void> {
  const move = new Move(moveSettings("abandonMove", options));
  await move.alone(() => move.takeBack());
}

/** How long a trigger waits for transactions that write to its table; others wait behind it meanwhile. */
const LOCK_TIMEOUT_MS = 1_000;
/** The pause before the next try, and between two looks at what is under way. */
const LOOK_MS = 50;

const prepareLock = statement<[]>("move_prepare_lock", "SELECT FROM (SELECT pg_advisory_xact_lock(hashtextextended('belfry_moves', 0))) l");
const takeLock = statement<[boolean]>("move_lock", "SELECT pg_try_advisory_lock(hashtextextended('belfry_move ' || $1, 0))");

class Move {
  readonly #settings: MoveSettings;
  readonly #from: Connection;
  readonly #to: Connection;
  readonly #place: TriggerPlace;
  readonly #moves: ReturnType<typeof movesIn>;
  readonly #copy: CopyOfTenant;

  constructor(settings: MoveSettings) {
    const { tenant, schema, from, to } = settings;
    this.#settings = settings;
    this.#from = new Connection(from, { prepared: false, timeoutMs: MIGRATION_TIMEOUT_MS });
    this.#to = new Connection(to, { prepared: false, timeoutMs: MIGRATION_TIMEOUT_MS });
    this.#place = { tenant, schema, tables: tableNames(schema) };
    this.#moves = movesIn(schema);
    this.#copy = new CopyOfTenant({ from: this.#from, to: this.#to, ...this.#place, moves: this.#moves });
  }

  /** Does `work` while no other process moves the tenant. A process that is killed leaves nothing held. */
  async alone<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#from.alone(undefined, async (session) => {
        const [[isTaken] = [false]] = await session.rows(takeLock, [this.#settings.tenant]);
        if (!isTaken) {
          throw new BelfryError("INVALID_STATE", `Another process moves the tenant "${this.#settings.tenant}" at this moment.`);
        }
        await this.#prepare();
        return await work();
      });
    } catch (error) {
      throw wrapError(error);
    }
  }

  async run(switchOver: () => void | Promise<void>): Promise<TenantMoved> {
    const { tenant } = this.#settings;
    const state = await this.#moves.stateOf(this.#from, tenant);
    const beganMs = performance.now();
    const isCopied = state === "switching" || state === "switched";
    const rows = isCopied ? await this.#copy.rows() : await this.#copyOrTakeBack(state === null);
    if (state !== "switched") {
      await this.#switchOver(switchOver);
    }
    const frozenMs = Math.round(performance.now() - beganMs);
    await this.#removal(this.#from).run();
    await this.#thaw(this.#from);
    await this.#moves.remove(this.#to, tenant);
    await this.#moves.remove(this.#from, tenant);
    this.#log("moved");
    return { rows, frozenMs };
  }

  /** Undoes everything before the switch. */
  async takeBack(): Promise<void> {
    const { tenant } = this.#settings;
    const state = await this.#moves.stateOf(this.#from, tenant);
    if (state === "switching" || state === "switched") {
      throw new BelfryError(
        "INVALID_STATE",
        `Calls of the tenant "${tenant}" may go to its new database already; call moveTenant again to end its move.`,
      );
    }
    if ((await this.#moves.positionOf(this.#to, tenant)) !== null) {
      await this.#removal(this.#to).run();
      await this.#moves.remove(this.#to, tenant);
    }
    await this.#thaw(this.#to);
    await this.#thaw(this.#from);
    await this.#moves.remove(this.#from, tenant);
    this.#log("as before");
  }

  /** Makes what moves need in both databases, where it is not there yet. */
  async #prepare(): Promise<void> {
    for (const connection of [this.#from, this.#to]) {
      await connection.transaction(async (session, client) => {
        await session.rows(prepareLock, []);
        await client.query(this.#moves.make);
        for (const text of movingFunctions(this.#settings.schema)) {
          await client.query(text);
        }
      });
    }
  }

  async #copyOrTakeBack(isNew: boolean): Promise<number> {
    const { tenant, logger } = this.#settings;
    try {
      return await this.#copyAll(isNew);
    } catch (error) {
      await this.takeBack().catch((failure: unknown) => {
        logger?.error(
          { tenant, error: failure },
          "Belfry could not take a move back: the tenant cannot be written before you call moveTenant or abandonMove.",
        );
      });
      throw error;
    }
  }

  /** From here on there is no way back: the host may write to the other database. */
  async #switchOver(switchOver: () => void | Promise<void>): Promise<void> {
    const { tenant } = this.#settings;
    await this.#moves.setState(this.#from, tenant, "switching");
    this.#log("switching");
    await this.#thaw(this.#to);
    try {
      await switchOver();
    } catch (cause) {
      const message = `switchOver of the tenant "${tenant}" failed. Its copy is complete, and nothing of it can be written; call moveTenant again.`;
      throw new BelfryError("INVALID_STATE", message, { cause });
    }
    await this.#moves.setState(this.#from, tenant, "switched");
    this.#log("switched");
  }

  /** Copies everything, and compares it. Resolves with the number of rows. */
  async #copyAll(isNew: boolean): Promise<number> {
    const { tenant } = this.#settings;
    await this.#copy.begin(isNew);
    await this.#moves.setState(this.#from, tenant, "draining");
    this.#log("draining");
    const deadlineMs = performance.now() + this.#settings.drainMs;
    // Nobody is to deliver there what has just been copied, before the switch.
    await this.#makeTriggers(this.#to, [...drainingTriggers(tenant), ...freezingTriggers()], deadlineMs);
    await this.#makeTriggers(this.#from, drainingTriggers(tenant), deadlineMs);
    await this.#drained(deadlineMs);
    await this.#makeTriggers(this.#from, freezingTriggers(), deadlineMs + LOCK_TIMEOUT_MS);
    await this.#moves.setState(this.#from, tenant, "frozen");
    this.#log("frozen");
    const rows = await this.#copy.run();
    await this.#copy.compare();
    return rows;
  }

  async #makeTriggers(where: Connection, triggers: readonly MovingTrigger[], deadlineMs: number): Promise<void> {
    await this.#eachLocking(
      where,
      triggers.map((trigger) => makeTrigger(trigger, this.#place)),
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

  async #drained(deadlineMs: number): Promise<void> {
    const underWay = workUnderWay(this.#place.tables);
    for (;;) {
      const found = await underWay(this.#from, this.#settings.tenant);
      if (found.length === 0) {
        return;
      }
      if (performance.now() > deadlineMs) {
        const what = found.join(", ");
        throw new BelfryError(
          "INVALID_STATE",
          `The tenant "${this.#settings.tenant}" still had work under way after ${this.#settings.drainMs} ms (${what}). It stays where it is; ` +
            "try again later, or give drainMs more.",
        );
      }
      await pause();
    }
  }

  #removal(where: Connection): RemovalOfTenant {
    return new RemovalOfTenant(where, this.#place);
  }

  async #thaw(where: Connection): Promise<void> {
    const { tenant } = this.#settings;
    const deadlineMs = performance.now() + this.#settings.drainMs + LOCK_TIMEOUT_MS;
    const triggers = [...freezingTriggers(), ...drainingTriggers(tenant)];
    await this.#eachLocking(
      where,
      triggers.map((trigger) => [dropTrigger(trigger, this.#place)]),
      deadlineMs,
    );
  }

  #log(state: string): void {
    const { logger, tenant } = this.#settings;
    logger?.info({ tenant, state }, "Belfry moves a tenant to another database.");
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

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}
