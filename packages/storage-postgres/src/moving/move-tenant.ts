import { BelfryError } from "@belfry/core";
import { Connection, type Session } from "../database/connection.ts";
import { isReadTimeout, listenForErrors, wrapError } from "../database/errors.ts";
import { statement } from "../database/statement.ts";
import { tableNames } from "../database/table-names.ts";
import { MIGRATION_TIMEOUT_MS } from "../migrations/migrate.ts";
import { CopyOfTenant, type CopyParts } from "./copy-tenant.ts";
import { drainingTriggers, freezingTriggers, movingFunctions, type TriggerPlace } from "./freeze.ts";
import { type MoveSettings, type MoveTenantOptions, moveSettings, type TenantMoveOptions } from "./move-options.ts";
import { BEFORE_SWITCH, type MoveState, movesIn } from "./moves.ts";
import { requireOwnMove } from "./own-move.ts";
import { RemovalOfTenant } from "./remove-tenant.ts";
import { LOCK_TIMEOUT_MS, pause, TenantTriggers } from "./tenant-triggers.ts";
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
 * call it again with the same options: it goes on where it was. If it fails before the switch, everything is as it was before, but for a copy in a database
 * that cannot be reached any more: the next move there removes it.
 *
 * @throws BelfryError `CONFIGURATION` for options that are not valid, for databases that are not migrated equally far, and for data of the tenant in the other
 *   database; `INVALID_STATE` if another process moves the tenant, if another move of it has not ended, or if its work did not end within `drainMs`; `STORAGE_UNAVAILABLE`, `STORAGE_FAILED`
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
  return await move.alone((lock) => move.run(lock, () => options.switchOver()));
}

/**
 * Takes back a move that was interrupted before its switch: the tenant may be written again where it was, and then what was copied is removed. It needs only
 * `from`: if `to` cannot be reached, what was copied stays there until the next move to it. It does nothing for a tenant that does not move.
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
  await move.alone((lock) => move.takeBack(lock));
}

const prepareLock = statement<[]>("move_prepare_lock", "SELECT FROM (SELECT pg_advisory_xact_lock(hashtextextended('belfry_moves', 0))) l");
const takeLock = statement<[boolean]>("move_lock", "SELECT pg_try_advisory_lock(hashtextextended('belfry_move ' || $1, 0))");
const giveLockBack = statement<[boolean]>("move_unlock", "SELECT pg_advisory_unlock(hashtextextended('belfry_move ' || $1, 0))");

class Move {
  readonly #settings: MoveSettings;
  readonly #from: Connection;
  readonly #to: Connection;
  readonly #place: TriggerPlace;
  readonly #moves: ReturnType<typeof movesIn>;
  readonly #parts: CopyParts;
  readonly #copy: CopyOfTenant;
  readonly #triggers: TenantTriggers;

  constructor(settings: MoveSettings) {
    const { tenant, schema, from, to } = settings;
    this.#settings = settings;
    this.#from = new Connection(from, { prepared: false, timeoutMs: MIGRATION_TIMEOUT_MS });
    this.#to = new Connection(to, { prepared: false, timeoutMs: MIGRATION_TIMEOUT_MS });
    this.#place = { tenant, schema, tables: tableNames(schema) };
    this.#moves = movesIn(schema);
    this.#parts = { from: this.#from, to: this.#to, ...this.#place, moves: this.#moves };
    this.#copy = new CopyOfTenant(this.#parts);
    this.#triggers = new TenantTriggers(this.#place);
    for (const pool of [from, to]) {
      listenForErrors(pool, settings.logger);
    }
  }

  /**
   * Does `work` while no other process moves the tenant. A process that is killed leaves nothing held. `work` gets the connection that holds the lock: what is
   * written on it is written by the one who holds it.
   */
  async alone<Result>(work: (lock: Session) => Promise<Result>): Promise<Result> {
    try {
      return await this.#from.alone(undefined, async (session) => {
        const [[isTaken] = [false]] = await session.rows(takeLock, [this.#settings.tenant]);
        if (!isTaken) {
          throw new BelfryError("INVALID_STATE", `Another process moves the tenant "${this.#settings.tenant}" at this moment.`);
        }
        return await this.#holding(session, work);
      });
    } catch (error) {
      throw wrapError(error);
    }
  }

  async #holding<Result>(lock: Session, work: (lock: Session) => Promise<Result>): Promise<Result> {
    let isSilent = false;
    try {
      await this.#prepare(this.#from);
      return await work(lock);
    } catch (error) {
      isSilent = isReadTimeout(error);
      throw error;
    } finally {
      if (!isSilent) {
        // Else the server would hold it for a moment after the connection is closed, and the next call would find it taken. One that is lost holds nothing.
        await lock.rows(giveLockBack, [this.#settings.tenant]).catch(() => []);
      }
    }
  }

  async run(lock: Session, switchOver: () => void | Promise<void>): Promise<TenantMoved> {
    const { tenant } = this.#settings;
    const state = await this.#moves.stateOf(lock, tenant);
    await this.#prepare(this.#to);
    await requireOwnMove(state, this.#copy, this.#parts);
    const beganMs = performance.now();
    const isCopied = state === "switching" || state === "switched";
    const rows = isCopied ? await this.#copy.rows() : await this.#copyOrTakeBack(lock, state);
    if (state !== "switched") {
      await this.#switchOver(lock, switchOver);
    }
    const frozenMs = Math.round(performance.now() - beganMs);
    await this.#removal(this.#from).run();
    await this.#thaw(this.#from);
    await this.#moves.remove(this.#to, tenant);
    await this.#moves.remove(this.#from, tenant);
    this.#log("moved");
    return { rows, frozenMs };
  }

  /** Undoes everything before the switch: first what refuses the tenant's writes, for which the other database is not needed. */
  async takeBack(lock: Session): Promise<void> {
    const { tenant, logger } = this.#settings;
    const isMine = await this.#moves.change(lock, tenant, { before: BEFORE_SWITCH, state: "abandoned" });
    if (!isMine && (await this.#moves.stateOf(lock, tenant)) !== null) {
      throw new BelfryError(
        "INVALID_STATE",
        `Calls of the tenant "${tenant}" may go to its new database already; call moveTenant again to end its move.`,
      );
    }
    await this.#thaw(this.#from);
    try {
      await this.#prepare(this.#to);
      await this.#removeCopy();
    } catch (error) {
      logger?.warn(
        { tenant, error },
        "Belfry could not remove what it has copied of a tenant whose move was taken back; the next move removes it.",
      );
      return;
    }
    if (isMine) {
      await this.#moves.remove(lock, tenant);
    }
    this.#log("as before");
  }

  /** Removes a copy that has not become the tenant's data. */
  async #removeCopy(): Promise<void> {
    const { tenant } = this.#settings;
    if (await this.#moves.change(this.#to, tenant, { before: ["copying", "removing"], state: "removing" })) {
      await this.#removal(this.#to).run();
      await this.#thaw(this.#to);
      await this.#moves.remove(this.#to, tenant);
    }
  }

  /** Makes what moves need in a database, where it is not there yet. */
  async #prepare(where: Connection): Promise<void> {
    await where.transaction(async (session, client) => {
      await session.rows(prepareLock, []);
      await client.query(this.#moves.make);
      for (const text of movingFunctions(this.#settings.schema)) {
        await client.query(text);
      }
    });
  }

  async #copyOrTakeBack(lock: Session, state: MoveState | null): Promise<number> {
    const { tenant, logger } = this.#settings;
    try {
      if (state === null || state === "abandoned") {
        await this.#removeCopy();
      }
      return await this.#copyAll(lock);
    } catch (error) {
      await this.takeBack(lock).catch((failure: unknown) => {
        logger?.error(
          { tenant, error: failure },
          "Belfry could not take a move back: the tenant cannot be written before you call moveTenant or abandonMove.",
        );
      });
      throw error;
    }
  }

  /** From here on there is no way back: the host may write to the other database. */
  async #switchOver(lock: Session, switchOver: () => void | Promise<void>): Promise<void> {
    const { tenant } = this.#settings;
    await this.#change(lock, ["frozen", "switching"], "switching");
    if (!(await this.#moves.change(this.#to, tenant, { before: ["copying", "arrived"], state: "arrived" }))) {
      throw new BelfryError("INVALID_STATE", `The copy of the tenant "${tenant}" has gone.`);
    }
    await this.#thaw(this.#to);
    try {
      await switchOver();
    } catch (cause) {
      const message = `switchOver of the tenant "${tenant}" failed. Its copy is complete, and nothing of it can be written; call moveTenant again.`;
      throw new BelfryError("INVALID_STATE", message, { cause });
    }
    await this.#change(lock, ["switching"], "switched");
  }

  /** Writes the next state on the connection that holds the lock: a process that has lost it may not go on. */
  async #change(lock: Session, before: readonly MoveState[], state: MoveState): Promise<void> {
    const { tenant } = this.#settings;
    if (!(await this.#moves.change(lock, tenant, { before, state }))) {
      throw new BelfryError("INVALID_STATE", `The move of the tenant "${tenant}" was taken over by another process.`);
    }
    this.#log(state);
  }

  /** Copies everything, and compares it. Resolves with the number of rows. */
  async #copyAll(lock: Session): Promise<number> {
    const { tenant } = this.#settings;
    await this.#copy.begin();
    if (!(await this.#moves.begin(lock, tenant))) {
      throw new BelfryError("INVALID_STATE", `Another process has begun to move the tenant "${tenant}".`);
    }
    this.#log("draining");
    const deadlineMs = performance.now() + this.#settings.drainMs;
    // Nobody is to deliver there what has just been copied, before the switch.
    await this.#triggers.make(this.#to, [...drainingTriggers(tenant), ...freezingTriggers()], deadlineMs);
    await this.#triggers.make(this.#from, drainingTriggers(tenant), deadlineMs);
    await this.#drained(deadlineMs);
    await this.#triggers.make(this.#from, freezingTriggers(), deadlineMs + LOCK_TIMEOUT_MS);
    await this.#change(lock, ["draining"], "frozen");
    const rows = await this.#copy.run();
    await this.#copy.compare();
    return rows;
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

  #thaw(where: Connection): Promise<void> {
    return this.#triggers.drop(where, performance.now() + this.#settings.drainMs + LOCK_TIMEOUT_MS);
  }

  #log(state: string): void {
    const { logger, tenant } = this.#settings;
    logger?.info({ tenant, state }, "Belfry moves a tenant to another database.");
  }
}
