import { Loop, type NextRun } from "../work/loop.ts";
import { nextTurn } from "../work/timing.ts";
import type { OperatorContext } from "./context.ts";
import { MOST_WAITING } from "./read-health.ts";

/** How often a process looks. */
const INTERVAL_MS = 60_000;
/** For how long attempts, and what waited, are kept by the minute: the shortest range of health, and an hour more. */
const BY_THE_MINUTE_MS = 2 * 3_600_000;
/** For how long they are counted at all, and what waited: the longest range of health, and a day more. */
const KEPT_MS = 8 * 86_400_000;
/** For how long workers that were lost are shown. */
const LOST_SHOWN_MS = 15 * 60_000;

/** The parts that the upkeep of health uses. */
type HealthUpkeepContext = Pick<OperatorContext, "health" | "clock" | "logger" | "ready">;

/**
 * Keeps the figures of health: how much waits at each minute, from one of the processes. It keeps them small, too: folds minutes into half hours after
 * two hours, and removes what is older than eight days.
 */
export class HealthUpkeep {
  /** The background loop. It looks once a minute. */
  readonly loop: Loop;
  readonly #context: HealthUpkeepContext;

  constructor(context: HealthUpkeepContext) {
    this.#context = context;
    const { clock, logger } = context;
    this.loop = new Loop({ task: "keep the figures of health", run: () => this.#run(), clock, logger });
  }

  async #run(): Promise<NextRun> {
    await this.#context.ready();
    const { health, clock } = this.#context;
    const nowMs = clock.now();
    // The process that looks does the rest, too.
    if (await health.sampleBacklog(new Date(nowMs - (nowMs % INTERVAL_MS)), new Date(nowMs), MOST_WAITING)) {
      await this.#repeat(() => health.foldAttempts(new Date(nowMs - BY_THE_MINUTE_MS)));
      await this.#repeat(() => health.pruneAttempts(new Date(nowMs - KEPT_MS)));
      await this.#repeat(() => health.foldBacklogs(new Date(nowMs - BY_THE_MINUTE_MS)));
      await this.#repeat(() => health.pruneBacklogs(new Date(nowMs - KEPT_MS)));
      await health.pruneWorkers(new Date(nowMs - LOST_SHOWN_MS));
    }
    // At the beginning of each minute.
    return { dueInMs: null, lookInMs: INTERVAL_MS - (clock.now() % INTERVAL_MS) };
  }

  /** Takes steps until none is left. */
  async #repeat(step: () => Promise<boolean>): Promise<void> {
    while (!this.loop.isStopping && (await step())) {
      await nextTurn();
    }
  }
}
