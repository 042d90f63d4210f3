import { Loop, type NextRun } from "../work/loop.ts";
import type { OperatorContext } from "./context.ts";

/** How often the workers of a process say what they do. */
const BEAT_MS = 10_000;
/** From when on a worker that says nothing counts as lost. */
const LOST_MS = 3 * BEAT_MS;

/** The parts that a heartbeat uses. */
type HeartbeatContext = Pick<OperatorContext, "health" | "instance" | "workers" | "clock" | "logger" | "ready">;

/** Says every few seconds that the workers of this process live, and what they do, so that others see when they do not any more. */
export class Heartbeat {
  readonly #loop: Loop;
  readonly #context: HeartbeatContext;
  #hasBeaten = false;

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

  /** Takes the workers of this process out of what others see, before the storage closes. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    const { health, instance, logger } = this.#context;
    if (this.#hasBeaten) {
      this.#hasBeaten = false;
      await health.leave(instance).catch((error: unknown) => {
        logger.warn({ error }, "Belfry could not say that its workers have stopped; they will be taken for lost.");
      });
    }
  }

  async #beat(): Promise<NextRun> {
    const workers = this.#context.workers();
    if (workers.length === 0) {
      return null;
    }
    await this.#context.ready();
    const { health, instance, clock } = this.#context;
    this.#hasBeaten = true;
    await health.beat(
      workers.map((worker) => ({ ...worker, instance })),
      new Date(clock.now()),
    );
    return { dueInMs: null, lookInMs: BEAT_MS };
  }
}

/** Whether a worker that said something last at `seenAt` counts as lost. */
export function isLostSince(seenAt: Date, nowMs: number): boolean {
  return nowMs - seenAt.getTime() >= LOST_MS;
}
