import { PART_MS } from "@belfry/storage-sql";
import { turn } from "./connection.ts";

/** What an operation has read so far, which goes on in a later turn of the event loop. */
export class Unfinished<So> {
  readonly soFar: So;

  constructor(soFar: So) {
    this.soFar = soFar;
  }
}

/** A part of an operation that reads for long. */
export interface Part<So> {
  /** What the part before it has read. */
  readonly soFar: So | undefined;
  /** Whether it may do a little more: to be asked before each short piece of work. */
  hasTime(): boolean;
}

type Found<So, Result> = Result | Unfinished<So>;

/**
 * Has operations that read for long share the event loop: what does not end at once goes on in turns, of which each has
 * a part of one operation alone.
 */
export class Parts {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** When this turn has no more time for those that are called in it; null for a turn without any. */
  #turnEndMs: number | null = null;

  /** @param read reads a part, which it begins once it need not wait any more */
  run<So, Result>(read: (begin: () => Part<So>) => Found<So, Result> | Promise<Found<So, Result>>): Result | Promise<Result> {
    const first = read(() => this.#beginAtOnce());
    return first instanceof Promise || first instanceof Unfinished ? this.#goOn(first, read) : first;
  }

  async #goOn<So, Result>(
    first: Unfinished<So> | Promise<Found<So, Result>>,
    read: (begin: () => Part<So>) => Found<So, Result> | Promise<Found<So, Result>>,
  ): Promise<Result> {
    let found = first instanceof Unfinished ? first : await first;
    while (found instanceof Unfinished) {
      const { soFar } = found;
      found = await this.#inTurn(() => read(() => beginInTurn(soFar)));
    }
    return found;
  }

  /** Runs `work` in a later turn, after all that wait already. */
  async #inTurn<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    this.#waiting += 1;
    const result = this.#last.then(turn).then(work);
    // Whoever asked for it hears of an error.
    this.#last = result.catch(() => null);
    try {
      return await result;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** All that begin in one turn have the time of one part. They have none where others wait for it. */
  #beginAtOnce<So>(): Part<So> {
    return { soFar: undefined, hasTime: () => this.#waiting === 0 && performance.now() < this.#endOfTurnMs() };
  }

  #endOfTurnMs(): number {
    if (this.#turnEndMs === null) {
      this.#turnEndMs = performance.now() + PART_MS;
      setImmediate(() => {
        this.#turnEndMs = null;
      });
    }
    return this.#turnEndMs;
  }
}

/** A part with a turn of its own, which does something however late it is. */
function beginInTurn<So>(soFar: So): Part<So> {
  const endMs = performance.now() + PART_MS;
  let isBegun = false;
  const hasTime = () => {
    const has = !isBegun || performance.now() < endMs;
    isBegun = true;
    return has;
  };
  return { soFar, hasTime };
}
