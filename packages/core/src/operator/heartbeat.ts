import { Loop, type NextRun } from "../work/loop.ts";
import type { OperatorContext } from "./context.ts";

/** How often the workers of a process say what they do. */
const BEAT_MS = 10_000;
/** From when on a worker that says nothing counts as lost. */
const LOST_MS = 3 * BEAT_MS;
/** How long there may be between two heartbeats that reach the database one after the other. */
const GAP_MS = 2 * BEAT_MS;

/** The parts that a heartbeat uses. */
type HeartbeatContext = Pick<OperatorContext, "health" | "instance" | "workers" | "clock" | "logger" | "ready">;

/**
 * Says every few seconds that the workers of this process live, and what they do, so that others see when they do not any more. A process without
 * workers says nothing, but asks the database to write it all the same: it learns so whether others could.
 */
export class Heartbeat {
  readonly #loop: Loop;
  readonly #context: HeartbeatContext;
  #hasBeaten = false;
  /** When the first and the last heartbeat reached the database, of those that did without a gap; null for none. */
  #reached: { readonly firstMs: number; readonly lastMs: number } | null = null;

  constructor(context: HeartbeatContext) {
    this.#context = context;
    const { clock, logger } = context;
    this.#loop = new Loop({ task: "say that its workers live", run: () => this.#beat(), level: "warn", clock, logger });
  }

  /** Lets it beat again after {@link stop}, once it is woken. */
  start(): void {
    this.#loop.start();
  }

  /** Beats now, and every few seconds from now on. */
  wake(): void {
    this.#loop.wake();
  }

  /**
   * Whether its heartbeats have reached the database since `sinceMs` without a gap. Else nobody may have been able to say anything there: the
   * database was away, or this process slept.
   */
  hasReachedSince(sinceMs: number): boolean {
    const reached = this.#reached;
    return reached !== null && reached.firstMs <= sinceMs && this.#context.clock.now() - reached.lastMs <= GAP_MS;
  }

  /** Takes the workers of this process out of what others see, before the storage closes. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    this.#reached = null;
    const { health, instance, logger } = this.#context;
    if (this.#hasBeaten) {
      this.#hasBeaten = false;
      await health.leave(instance).catch((error: unknown) => {
        logger.warn({ error }, "Belfry could not say that its workers have stopped; they will be taken for lost.");
      });
    }
  }

  async #beat(): Promise<NextRun> {
    await this.#context.ready();
    const { health, instance, clock } = this.#context;
    const workers = this.#context.workers();
    this.#hasBeaten ||= workers.length > 0;
    await health.beat(
      workers.map((worker) => ({ ...worker, instance })),
      new Date(clock.now()),
    );
    this.#noteReached(clock.now());
    return { dueInMs: null, lookInMs: BEAT_MS };
  }

  #noteReached(nowMs: number): void {
    const before = this.#reached;
    const hasGap = before === null || nowMs - before.lastMs > GAP_MS;
    this.#reached = { firstMs: hasGap ? nowMs : before.firstMs, lastMs: nowMs };
  }
}

/** A heartbeat after this time is of a process whose clock is, or was, far ahead: the clocks of processes differ by less. */
export function latestBeat(nowMs: number): Date {
  return new Date(nowMs + GAP_MS);
}

/** A worker that said nothing since this time counts as lost. */
export function lostSince(nowMs: number): Date {
  return new Date(nowMs - LOST_MS);
}
