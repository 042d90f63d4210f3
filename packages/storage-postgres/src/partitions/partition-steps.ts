import type { MigrationStep } from "@belfry/core/storage";
import type { Pool } from "pg";
import { Connection } from "../database/connection.ts";
import { isCancelled, isLockTimeout, isTransientConflict } from "../database/errors.ts";
import { statement } from "../database/statement.ts";
import { quoteIdentifier, type TableNames, tableNames } from "../database/table-names.ts";
import { takeLock, useSchema } from "../migrations/migrate.ts";
import { bind, closePart, hasInvalidIndex, ownerOf, type Place, requireAlone, unbind } from "./close-part.ts";
import { ATTEMPTS, BOUND, type Layout, readLayout } from "./layout.ts";
import { type Change, nextChange } from "./next-change.ts";

/** How long a change waits for a lock, in milliseconds: others wait behind it meanwhile. */
const LOCK_TIMEOUT_MS = 200;
/** PostgreSQL ends an autovacuum for whoever has waited a second for its table, so every few tries one waits for longer. */
const PATIENT_TIMEOUT_MS = 1_500;
const TRIES_PER_PATIENT_ONE = 5;
/** How long closing may take, in milliseconds: what takes longer is not what it should be, and others wait behind it. */
const CLOSE_TIMEOUT_MS = 5_000;
/** How long the search for a partition that no delivery needs may take, in milliseconds. */
const SEARCH_TIMEOUT_MS = 5_000;
/** How long it may take to see that again, in milliseconds, while others write deliveries, and while they wait. */
const FIND_MS = 50;
const LOCKED_FIND_MS = 200;
/** For a table of very many rows, PostgreSQL reads for hours to check a bound. */
const CHECK_TIMEOUT_MS = 24 * 3_600_000;
/** How long a process that changes a table may fall silent, in milliseconds. */
const SILENCE_MS = 10_000;

/** The result of a step. */
type PartitionStep =
  | MigrationStep
  /** Others held a table for too long, or an index of it is not valid. */
  | "waited";

const isAsked = statement<[boolean]>("partition_is_asked", "SELECT to_regclass($1) IS NOT NULL");

const askLock = statement<[]>(
  "partition_ask_lock",
  "SELECT FROM (SELECT pg_advisory_xact_lock(hashtextextended('belfry_partitions', 0))) l",
);

function isLockTimeoutOrLong(error: unknown): boolean {
  return isLockTimeout(error) || isCancelled(error);
}

/** Keeps attempts in partitions, where a host has asked for it, in steps that may be cut off anywhere. */
export class PartitionSteps {
  readonly #schema: string;
  readonly #tables: TableNames;
  readonly #connection: Connection;
  /** How often a lock was waited for in vain, one time after the other. */
  #tries = 0;
  /** Whether PostgreSQL is to look at all partitions together, whose figures plans of joins need: it looks at each by itself alone. */
  #isToAnalyze = false;

  constructor(pool: Pool, schema: string) {
    this.#schema = schema;
    this.#tables = tableNames(schema);
    this.#connection = new Connection(pool, { prepared: false, timeoutMs: CHECK_TIMEOUT_MS });
  }

  /** Notes that attempts are to be kept in partitions of so many deliveries. */
  async ask(size: number): Promise<void> {
    await this.#connection.transaction(async (session, client) => {
      await useSchema(client, this.#schema);
      // What is refused is refused before anything has changed.
      if (!(await readLayout(session, this.#tables)).isPartitioned) {
        await requireAlone(session);
      }
      // Two that make a table at once would be in each other's way.
      await session.rows(askLock, []);
      await client.query(
        `CREATE TABLE IF NOT EXISTS ${this.#settings} (table_name text COLLATE "C" PRIMARY KEY, deliveries bigint NOT NULL CHECK (deliveries > 0))`,
      );
      for (const text of await ownerOf(session, this.#settings)) {
        await client.query(text);
      }
      const note = `INSERT INTO ${this.#settings} VALUES ($1, $2) ON CONFLICT (table_name) DO UPDATE SET deliveries = excluded.deliveries`;
      await session.rows(statement("partition_ask", note), [ATTEMPTS.name, size]);
    });
    this.#isToAnalyze = true;
  }

  /** Does the next step, if there is one: a change of the table, else the removal of a partition that no delivery needs any more. `signal` ends a check of a bound. */
  async next(signal?: AbortSignal): Promise<PartitionStep> {
    const [[isThere] = [false]] = await this.#connection.rows(isAsked, [this.#settings]);
    if (!isThere) {
      return "done";
    }
    const changed = await this.#changeOrLift(signal);
    this.#tries = changed === "waited" ? this.#tries + 1 : 0;
    if (changed !== "done") {
      return changed;
    }
    if (this.#isToAnalyze) {
      await this.#connection.rows(statement("partition_analyze", `ANALYZE ${this.#tables.deliveryAttempts}`), []);
      this.#isToAnalyze = false;
    }
    const dropped = await this.#gettingLocks((place) => this.#drop(place), isLockTimeoutOrLong);
    // Nothing waits for that: the next look will do.
    return dropped === "waited" ? "done" : dropped;
  }

  /** Takes away the bound, if there is one: attempts beyond it are refused. Answers whether it got the lock that this takes. */
  async lift(): Promise<boolean> {
    const went = await this.#gettingLocks(async ({ client, layout: { open } }) => {
      if (open.bound !== null) {
        await client.query(`SET LOCAL lock_timeout = ${PATIENT_TIMEOUT_MS}; ${unbind(open)}`);
      }
      return "done";
    });
    return went !== "waited";
  }

  /** Does the next change. What fails, but not for a lock, may fail again and again, so no bound is to stay then. */
  async #changeOrLift(signal: AbortSignal | undefined): Promise<PartitionStep> {
    try {
      const went = await this.#gettingLocks((place, size) => this.#change(place, size));
      return went === "check" ? await this.#check(signal) : went;
    } catch (error) {
      // The caller learns what failed first. If the bound stays, the next step finds it.
      await this.lift().catch(() => false);
      throw error;
    }
  }

  /** Runs a step alone, in a transaction. Answers `waited` if it waited for a lock for too long, or in a circle. */
  async #gettingLocks<Went extends string>(
    step: (place: Place, size: number) => Promise<Went>,
    isWait = isLockTimeout,
  ): Promise<Went | PartitionStep> {
    try {
      return await this.#connection.transaction(async (session, client) => {
        if (!(await takeLock(session, { schema: this.#schema, isOfSession: false }))) {
          return "busy";
        }
        await useSchema(client, this.#schema);
        await client.query(`SET LOCAL idle_in_transaction_session_timeout = ${SILENCE_MS}; SET LOCAL statement_timeout = 0`);
        const asked = statement<[size: number]>("partition_size", `SELECT deliveries FROM ${this.#settings} WHERE table_name = $1`);
        const [row] = await session.rows(asked, [ATTEMPTS.name]);
        const layout = await readLayout(session, this.#tables);
        return row === undefined ? "done" : await step({ session, client, layout }, row[0]);
      });
    } catch (error) {
      if (isWait(error) || isTransientConflict(error)) {
        return "waited";
      }
      throw error;
    }
  }

  async #change(place: Place, size: number): Promise<PartitionStep | "check"> {
    const change = nextChange(place.layout, size);
    if (change === null || change.kind === "check") {
      return change === null ? "done" : "check";
    }
    // An index that is being built, or was left unfinished, cannot be one of all partitions.
    const isUnfinished = change.kind !== "unbind" && (await hasInvalidIndex(place.session, place.layout.open));
    if (isUnfinished) {
      return "waited";
    }
    await this.#make(change, place);
    return "more";
  }

  /** Has PostgreSQL read the open part, for which nobody waits, on a connection of its own, so that a signal can end it. */
  async #check(signal: AbortSignal | undefined): Promise<PartitionStep> {
    return await this.#connection.alone(signal, async (session, client) => {
      // Its lock goes with the transaction at once, and not when PostgreSQL has seen that the connection is closed.
      await client.query("BEGIN ISOLATION LEVEL READ COMMITTED");
      if (!(await takeLock(session, { schema: this.#schema, isOfSession: false }))) {
        return "busy";
      }
      await useSchema(client, this.#schema);
      await client.query(
        `SET LOCAL idle_in_transaction_session_timeout = ${SILENCE_MS}; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0`,
      );
      const { open } = await readLayout(session, this.#tables);
      signal?.throwIfAborted();
      // Another process may have changed it meanwhile.
      if (open.bound?.isChecked === false) {
        await client.query(`ALTER TABLE ${quoteIdentifier(open.name)} VALIDATE CONSTRAINT ${BOUND}`);
      }
      await client.query("COMMIT");
      return "more";
    });
  }

  async #make(change: Exclude<Change, { readonly kind: "check" }>, place: Place): Promise<void> {
    const { client, layout } = place;
    const isPatient = this.#tries % TRIES_PER_PATIENT_ONE === TRIES_PER_PATIENT_ONE - 1;
    await client.query(`SET LOCAL lock_timeout = ${isPatient ? PATIENT_TIMEOUT_MS : LOCK_TIMEOUT_MS}`);
    switch (change.kind) {
      case "bind":
        if (!layout.isPartitioned) {
          await requireAlone(place.session);
        }
        await client.query(bind(layout.open, change.before));
        return;
      case "unbind":
        await client.query(unbind(layout.open));
        return;
      case "close":
        await client.query(`SET LOCAL statement_timeout = ${CLOSE_TIMEOUT_MS}`);
        await closePart(place, change.before);
        this.#isToAnalyze = true;
    }
  }

  /**
   * Drops the oldest partition whose deliveries are all gone. A delivery may have got its key and not be seen yet, so it looks once nobody
   * writes deliveries: whoever does later gets a later key.
   */
  async #drop({ session, client, layout: { closed, given } }: Place): Promise<PartitionStep> {
    const { deliveries } = this.#tables;
    const unused = statement<[name: string]>(
      "partition_unused",
      `SELECT p.name FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS p(name, "from", before)
      WHERE NOT EXISTS (SELECT FROM ${deliveries} d WHERE d.pk >= p."from" AND d.pk < p.before)
        AND (SELECT seqcache = 1 FROM pg_sequence WHERE seqrelid = pg_get_serial_sequence($4, 'pk')::regclass)
      ORDER BY p.before LIMIT 1`,
    );
    const find = async (among: Layout["closed"]) => {
      const ranges = [among.map(({ name }) => name), among.map(({ from }) => from ?? 0), among.map(({ before }) => before)];
      const [found] = await session.rows(unused, [...ranges, deliveries]);
      return among.filter(({ name }) => name === found?.[0]);
    };
    await client.query(`SET LOCAL statement_timeout = ${SEARCH_TIMEOUT_MS}`);
    const [candidate] = await find(closed.filter(({ before }) => before <= given));
    // Where deliveries have just gone, PostgreSQL reads the key of each until a vacuum has come. Nobody is to wait for that.
    const beganMs = performance.now();
    const [stillUnused] = candidate === undefined ? [] : await find([candidate]);
    if (candidate === undefined || stillUnused === undefined || performance.now() - beganMs > FIND_MS) {
      return "done";
    }
    await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}; LOCK TABLE ${deliveries} IN SHARE MODE`);
    await client.query(`SET LOCAL statement_timeout = ${LOCKED_FIND_MS}`);
    const [part] = await find([candidate]);
    if (part === undefined) {
      return "done";
    }
    await client.query(`SET LOCAL statement_timeout = 0; DROP TABLE ${quoteIdentifier(part.name)}`);
    return "more";
  }

  get #settings(): string {
    return `${quoteIdentifier(this.#schema)}.belfry_partitions`;
  }
}
