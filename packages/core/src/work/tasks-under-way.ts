import type { Clock } from "../foundation/clock.ts";
import type { TaskEnd } from "./leased-work.ts";
import { awhile, type Cancellation } from "./timing.ts";

/**
 * How many times as many as may be attempted at once may wait to be recorded, and others begin: one batch is being written then, and the
 * next waits for it. If only one might, each claim would wait for the answer to the write before it, and the database for the claim.
 */
const BATCHES_TO_RECORD = 2;

/** How a task under way is aborted, and its end once that is recorded; null if it could not be. */
interface UnderWay {
  readonly cancellation: Cancellation;
  readonly done: Promise<TaskEnd | null>;
}

/** The tasks that a worker has in hand, and the turns of those that are being attempted; the others wait to be recorded. */
export class TasksUnderWay<Task> {
  readonly #concurrency: number;
  readonly #tasks = new Map<Task, UnderWay>();
  #attempting = 0;

  /** @param concurrency how many are attempted at once */
  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** How many are in hand. */
  get count(): number {
    return this.#tasks.size;
  }

  /** How many have a turn. */
  get attempting(): number {
    return this.#attempting;
  }

  /** How many may begin now: none while two batches of as many as may begin at once wait to be recorded. */
  get room(): number {
    const toRecord = this.#tasks.size - this.#attempting;
    return toRecord < BATCHES_TO_RECORD * this.#concurrency ? this.#concurrency - this.#attempting : 0;
  }

  /** One more is attempted, or about to be written for that. */
  takeTurn(): void {
    this.#attempting += 1;
  }

  giveTurnBack(): void {
    this.#attempting -= 1;
  }

  add(task: Task, underWay: UnderWay): void {
    this.#tasks.set(task, underWay);
  }

  delete(task: Task): void {
    this.#tasks.delete(task);
  }

  all(): readonly Task[] {
    return [...this.#tasks.keys()];
  }

  /** Aborts some of them, which end then. */
  abort(tasks: readonly Task[], reason: string): void {
    for (const task of tasks) {
      this.#tasks.get(task)?.cancellation.abort(new Error(reason));
    }
  }

  /** Resolves once all that are in hand now have ended. */
  async ended(): Promise<void> {
    await Promise.all([...this.#tasks.values()].map(({ done }) => done));
  }

  /** The same, but waits no longer than this. */
  async endedWithin(limitMs: number, clock: Clock): Promise<void> {
    if (this.#tasks.size === 0) {
      return;
    }
    const { over, cancel } = awhile(clock, limitMs);
    await Promise.race([this.ended(), over]);
    cancel();
  }
}
