import type { Logger } from "@belfry/core";
import type { FoundByReplica } from "@belfry/core/storage";
import type { Pool, PoolClient } from "pg";
import { type IdentityCheck, requireReadableValues, type Session, type Snapshots, snapshots } from "./connection.ts";
import { isEndedStatement, listenForErrors } from "./errors.ts";
import { type LogMark, LogMarks } from "./log-marks.ts";
import { openPool } from "./open-pool.ts";
import { type RunOptions, statement } from "./statement.ts";
import { giveBack, takeClientWithin } from "./take-client.ts";

/** How long a connection, and a statement, of a replica may take: the caller still asks the primary then. */
const TIMEOUT_MS = 5_000;

/** How long a replica that could not answer is left alone. Then one read tries it. */
const REST_MS = 5_000;

/** How far apart the lines about a replica are that comes and goes. */
const LINE_MS = 60_000;

/** The parts that reads of a replica use. */
export interface ReplicaParts {
  /** A connection string, or a pool of the host. */
  readonly source: string | Pool;
  readonly poolSize: number;
  /** The database that the replica follows. */
  readonly primary: Session;
  readonly identity: IdentityCheck;
  /** How far the replica may be behind. */
  readonly maxLagMs: number;
  readonly prepared: boolean;
  readonly logger: Logger;
}

/** How far the server of a connection was when it was asked. It does not go back while the connection lasts. */
interface Progress {
  readonly position: number;
  readonly askedMs: number;
}

/** Asked before a read, not with it: what is applied meanwhile is not in the read's snapshot. */
const appliedUpTo = statement<[isReplica: boolean, position: number | null]>(
  "replica_position",
  "SELECT pg_is_in_recovery(), (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint",
);

/** Why a replica is not asked, in the words of the log. */
class Unfit extends Error {}

/**
 * Reads on a physical replica of the database. Each connection is asked first how far its server has applied the primary's log, so the pool
 * may reach several replicas. A replica that fails, or is too far behind, rests for a while; the log has one line when that
 * begins, and one when it is over, once a minute at the most.
 */
export class Replica {
  readonly #parts: ReplicaParts;
  readonly #pool: Pool;
  readonly #marks: LogMarks;
  readonly #run: RunOptions;
  readonly #progress = new WeakMap<PoolClient, Progress>();
  /** When it was last tried since it could not answer; null if it can. */
  #triedMs: number | null = null;
  #loggedMs = Number.NEGATIVE_INFINITY;
  /** Whether the log says that it cannot answer. */
  #isLogged = false;

  constructor(parts: ReplicaParts) {
    this.#parts = parts;
    this.#marks = new LogMarks(parts.primary, parts.maxLagMs);
    this.#run = { prepared: parts.prepared, timeoutMs: TIMEOUT_MS };
    this.#pool = typeof parts.source === "string" ? openPool(parts.source, parts.poolSize) : parts.source;
    listenForErrors(this.#pool, parts.logger);
  }

  /** Runs reads on one connection; null if the replica cannot answer them. Does not reject. */
  async read<Found>(work: (session: Snapshots) => Promise<Found>): Promise<FoundByReplica<Found> | null> {
    const isTrial = this.#triedMs !== null;
    if (!this.#mayTry()) {
      // So that there are marks when it is tried.
      void this.#marks.refresh();
      return null;
    }
    try {
      const found = await this.#readOn(await takeClientWithin(this.#pool, TIMEOUT_MS), work);
      if (isTrial && found !== null) {
        this.#isBack();
      }
      return found;
    } catch (error) {
      this.#isLost(error);
      return null;
    }
  }

  /** Closes what it opened, once its statements are done. */
  async close(): Promise<void> {
    if (typeof this.#parts.source === "string") {
      await this.#pool.end();
    }
  }

  async #readOn<Found>(client: PoolClient, work: (session: Snapshots) => Promise<Found>): Promise<FoundByReplica<Found> | null> {
    let [isReading, isBroken] = [false, true];
    try {
      const on = snapshots(client, this.#run);
      const mark = await this.#markReachedBy(client, on);
      isReading = true;
      const found = mark === null ? null : await work(on);
      isBroken = false;
      const lagMs = mark === null ? Number.POSITIVE_INFINITY : Math.ceil(this.#marks.ageMs(mark));
      return found === null || lagMs > this.#parts.maxLagMs ? null : { found, lagMs };
    } catch (error) {
      // The replica answers others: one caller's slow read must not take it from them.
      if (isReading && isEndedStatement(error)) {
        return null;
      }
      throw error;
    } finally {
      giveBack(client, isBroken);
    }
  }

  /** The moment up to which the server of a connection has everything; null if it is not known to be near enough. */
  async #markReachedBy(client: PoolClient, on: Session): Promise<LogMark | null> {
    const { maxLagMs } = this.#parts;
    await this.#marks.refresh();
    let known = this.#progress.get(client) ?? null;
    if (known === null || this.#isOutdated(known)) {
      known = await this.#ask(on, known === null);
      this.#progress.set(client, known);
    }
    const mark = this.#marks.reachedBy(known.position);
    if (mark !== null && this.#marks.isUsable(mark)) {
      return mark;
    }
    if (this.#marks.isTooFar(known.position)) {
      throw new Unfit(`It is more than ${maxLagMs} ms behind.`);
    }
    return null;
  }

  /** Whether the server of a connection may have reached a newer mark, or may be none to read on any more. */
  #isOutdated({ position, askedMs }: Progress): boolean {
    const sinceMs = performance.now() - askedMs;
    const mark = this.#marks.reachedBy(position);
    if (mark === null || !this.#marks.isUsable(mark) || sinceMs > this.#parts.maxLagMs) {
      return true;
    }
    return !this.#marks.isNewest(mark) && sinceMs >= this.#marks.intervalMs;
  }

  async #ask(on: Session, isNew: boolean): Promise<Progress> {
    const { identity } = this.#parts;
    if (isNew) {
      await requireReadableValues(on);
      if ((await identity.of(on)) !== identity.own) {
        throw new Unfit("It is a server of another database.");
      }
    }
    const askedMs = performance.now();
    const [[isReplica, position] = [false, null]] = await on.rows(appliedUpTo, []);
    if (!isReplica || position === null) {
      throw new Unfit("It is no physical replica, or was made the primary.");
    }
    return { position, askedMs };
  }

  #mayTry(): boolean {
    const now = performance.now();
    if (this.#triedMs === null) {
      return true;
    }
    const isRested = now - this.#triedMs >= REST_MS;
    this.#triedMs = isRested ? now : this.#triedMs;
    return isRested;
  }

  #isLost(error: unknown): void {
    const now = performance.now();
    if (this.#triedMs === null && now - this.#loggedMs >= LINE_MS) {
      this.#loggedMs = now;
      this.#isLogged = true;
      // Not the error itself: the driver may hang the whole connection on it, with the key that cancels its statements.
      const reason = error instanceof Error ? error.message : null;
      this.#parts.logger.warn({ reason }, "A replica of Belfry's database cannot answer. The database itself answers until it can.");
    }
    this.#triedMs = now;
  }

  #isBack(): void {
    this.#triedMs = null;
    if (this.#isLogged) {
      this.#isLogged = false;
      this.#parts.logger.warn({}, "The replica of Belfry's database answers again.");
    }
  }
}
