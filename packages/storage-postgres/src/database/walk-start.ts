import type { Session } from "./connection.ts";
import { milliseconds, type StorageTime, statement, timeOf } from "./statement.ts";

/** A walk that takes longer may have passed over many dead rows. */
const LONG_MS = 25;
/** So many dead rows of a table make walks long. A busy machine does, too. */
const MANY = 20_000;
/** After a long walk, others begin late for so many times as long, so that whole walks take a twentieth of the time at the most. */
const REST = 20;
const MOST_REST_MS = 5_000;
/** A row may come with a time so long past: its transaction took a while. */
const SLACK_MS = 10_000;

/** Counts the dead rows of a table and its partitions, as far as the server knows. */
const askDead = statement<[dead: number, now: number]>(
  "dead_rows",
  `SELECT sum(pg_stat_get_dead_tuples(t.id))::bigint, ${milliseconds(timeOf("$1"))}
  FROM (SELECT $2::regclass::oid AS id UNION SELECT relid FROM pg_partition_tree($2::regclass)) t`,
);

/** What a walk runs on. */
export interface WalkedOn {
  readonly session: Session;
  /** The time, as statements take it. */
  readonly at: ReturnType<StorageTime>;
}

/** Which rows a walk may find. */
export interface WalkReach {
  /** Names what all its rows have in common, such as their channels. */
  readonly scope: string;
  /** Whether it finds the first row of its scope, and leaves out none for a while, such as those of busy tenants. */
  readonly isWhole: boolean;
}

const ALL: WalkReach = { scope: "", isWhole: true };

/** A walk along an index of times, in their order. */
export interface Walk<Row> {
  /** @default all rows */
  readonly reach?: WalkReach;
  /** Walks from a time on; from the beginning for null. */
  from(since: string | null): Promise<readonly Row[]>;
  /** The time of a row, in milliseconds; null if it has none. */
  timeOf(row: Row): number | null;
}

/**
 * Where walks along an index of times begin. While somebody holds an old snapshot, nothing that has ended can leave the index, and each walk passes over all
 * of it before it comes to what is there. So after a walk that took long, the next ones begin with the first row that it found, and at least ten seconds
 * before it. Every few seconds one goes all the way again, and finds what has come with an older time since. A walk that leaves rows out says nothing of
 * where others may begin, and none of where those of another scope may.
 */
export class WalkStart {
  readonly #table: string;
  readonly #now: () => number;
  #since: string | null = null;
  /** The scope of the walk that found it. */
  #scope = ALL.scope;
  #untilMs = Number.NEGATIVE_INFINITY;

  /** @param table as SQL names it */
  constructor(table: string, now: () => number = () => performance.now()) {
    this.#table = table;
    this.#now = now;
  }

  /** For how many milliseconds more walks begin late; 0 if the next one goes all the way. */
  get restMs(): number {
    return this.#since === null ? 0 : Math.max(0, Math.ceil(this.#untilMs - this.#now()));
  }

  async walk<Row>({ session, at }: WalkedOn, { reach = ALL, from, timeOf: timeOfRow }: Walk<Row>): Promise<readonly Row[]> {
    const isResting = this.restMs > 0;
    if (isResting || !reach.isWhole) {
      return await from(isResting && reach.scope === this.#scope ? this.#since : null);
    }
    const begunMs = this.#now();
    const rows = await from(null);
    const tookMs = this.#now() - begunMs;
    this.#since = null;
    const [[dead, nowMs] = [0, 0]] = tookMs < LONG_MS ? [] : await session.rows(askDead, [at, this.#table]);
    if (dead >= MANY) {
      const first = rows.map(timeOfRow).find((time) => time !== null) ?? Number.POSITIVE_INFINITY;
      this.#since = new Date(Math.min(first, nowMs - SLACK_MS)).toISOString();
      this.#scope = reach.scope;
      this.#untilMs = this.#now() + Math.min(MOST_REST_MS, REST * tookMs);
    }
    return rows;
  }
}
