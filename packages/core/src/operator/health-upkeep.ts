import { Loop, type NextRun } from "../work/loop.ts";
import { nextTurn } from "../work/timing.ts";
import type { OperatorContext } from "./context.ts";
import type { HealthStorage } from "./health-storage.ts";

/** How often a process looks. */
const INTERVAL_MS = 60_000;
/** For how long attempts are counted by the minute: the shortest range of health, and an hour more. */
const BY_THE_MINUTE_MS = 2 * 3_600_000;
/** For how long they are counted at all: the longest range of health, and a day more. */
const KEPT_MS = 8 * 86_400_000;

/** The parts that the upkeep of health uses. */
export interface HealthUpkeepContext extends Pick<OperatorContext, "clock" | "logger" | "ready"> {
  readonly health: HealthStorage;
}

/** Keeps the figures of health small: folds minutes into half hours after two hours, and removes them after eight days. */
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
    await this.#repeat(() => health.foldAttempts(new Date(nowMs - BY_THE_MINUTE_MS)));
    await this.#repeat(() => health.pruneAttempts(new Date(nowMs - KEPT_MS)));
    return { dueInMs: null, lookInMs: INTERVAL_MS };
  }

  /** Takes steps until none is left. */
  async #repeat(step: () => Promise<boolean>): Promise<void> {
    while (!this.loop.isStopping && (await step())) {
      await nextTurn();
    }
  }
}
