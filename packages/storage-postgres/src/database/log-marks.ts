import type { Session } from "./connection.ts";
import { statement } from "./statement.ts";

/** How many marks there are within the time that they are of use. */
const MARKS = 10;

/** A position in the primary's log of changes, which had been reached at a moment of this process's monotonic clock. */
export interface LogMark {
  readonly position: number;
  readonly atMs: number;
}

/** Whatever a statement of the primary could see at this moment stands before this position. */
const writtenUpTo = statement<[number]>("log_position", "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint");

/**
 * The positions of the primary's log at moments of the last seconds. A replica that has applied the log up to one of them is not further
 * behind than that moment, whatever the clocks of both servers say, and however long nothing was written. The primary is asked a few
 * times for each `usableMs`, and only while somebody asks for marks.
 */
export class LogMarks {
  readonly #primary: Session;
  readonly #usableMs: number;
  /** The newest first. Those behind the first one that is too old are gone. */
  #marks: readonly LogMark[] = [];
  #asking: Promise<void> | null = null;
  #askedMs = Number.NEGATIVE_INFINITY;

  /** @param usableMs how old a mark may be to be of use */
  constructor(primary: Session, usableMs: number) {
    this.#primary = primary;
    this.#usableMs = usableMs;
  }

  /** How far apart marks are at least. */
  get intervalMs(): number {
    return this.#usableMs / MARKS;
  }

  /** The time that has passed since a mark. */
  ageMs({ atMs }: LogMark): number {
    return performance.now() - atMs;
  }

  isUsable(mark: LogMark): boolean {
    return this.ageMs(mark) <= this.#usableMs;
  }

  /**
   * Makes a new mark if the newest one is old enough. It waits for it only if no mark is of use. Without an answer of the primary there is
   * no new mark: it does not reject.
   */
  async refresh(): Promise<void> {
    if (this.#asking === null && performance.now() - this.#askedMs >= this.intervalMs) {
      this.#asking = this.#ask().finally(() => {
        this.#asking = null;
      });
    }
    const [newest] = this.#marks;
    if (newest === undefined || !this.isUsable(newest)) {
      await this.#asking;
    }
  }

  /** The newest mark that a replica has reached which has applied the log up to a position; null for none. */
  reachedBy(position: number): LogMark | null {
    return this.#marks.find((mark) => mark.position <= position) ?? null;
  }

  /** Whether no mark is newer than one of them. */
  isNewest(mark: LogMark): boolean {
    return this.#marks[0] === mark;
  }

  /** Whether a replica that has applied the log up to a position is known to be too far behind. */
  isTooFar(position: number): boolean {
    const old = this.#marks.at(-1);
    return old !== undefined && !this.isUsable(old) && old.position > position;
  }

  async #ask(): Promise<void> {
    const atMs = performance.now();
    this.#askedMs = atMs;
    const rows = await this.#primary.rows(writtenUpTo, []).catch(() => []);
    for (const [position] of rows) {
      const old = this.#marks.findIndex((mark) => !this.isUsable(mark));
      this.#marks = [{ position, atMs }, ...(old === -1 ? this.#marks : this.#marks.slice(0, old + 1))];
    }
  }
}
