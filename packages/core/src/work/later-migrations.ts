import type { Logger } from "../foundation/logger.ts";

/** How one step of the migrations that run once a storage is open went. */
export type MigrationStep =
  /** There may be more to do. */
  | "more"
  /** Another instance is at it at this moment. */
  | "busy"
  | "done";

/** Options of {@link LaterMigrations}. */
export interface LaterMigrationsOptions {
  /** Does a small piece of what is left, in a transaction of its own. What takes long heeds the signal. */
  step(signal: AbortSignal): Promise<MigrationStep>;
  readonly logger: Logger;
  /** How long to wait after another instance was found at it, or a step failed. @default 5000 */
  readonly retryMs?: number;
}

const RETRY_MS = 5_000;
/** Leaves the database to others between two steps. */
const PAUSE_MS = 5;

/**
 * Runs the migrations that do not hold up a start, step by step, until they are done or {@link stop} is called:
 * `running → stopping → stopped`, or `running → stopped` when nothing is left. A step that fails is logged and tried again.
 */
export class LaterMigrations {
  readonly #options: LaterMigrationsOptions;
  readonly #stopped = new AbortController();
  readonly #finished: Promise<void>;

  /** Begins at once. */
  constructor(options: LaterMigrationsOptions) {
    this.#options = options;
    this.#finished = this.#run();
  }

  /** Resolves once nothing is left to do, or after {@link stop}. */
  finished(): Promise<void> {
    return this.#finished;
  }

  /** Begins no further step, and resolves once the one under way has ended. */
  stop(): Promise<void> {
    this.#stopped.abort();
    return this.#finished;
  }

  async #run(): Promise<void> {
    const { retryMs = RETRY_MS } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const went = await this.#step();
      if (went === "done") {
        return;
      }
      await pause(went === "more" ? PAUSE_MS : retryMs, signal);
    }
  }

  async #step(): Promise<MigrationStep | "failed"> {
    try {
      return await this.#options.step(this.#stopped.signal);
    } catch (error) {
      if (this.#stopped.signal.aborted) {
        return "done";
      }
      this.#options.logger.warn({ error }, "A migration that runs in the background failed; it is tried again.");
      return "failed";
    }
  }
}

/** Waits, but keeps no process alive, and not after the signal. */
function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, delayMs);
    timer.unref();
    signal.addEventListener("abort", end);
  });
}
