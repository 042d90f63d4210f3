import { type AgainRequest, releasePaused } from "../delivery/index.ts";
import { BelfryError } from "../foundation/errors.ts";
import { Loop, type NextRun } from "../work/loop.ts";
import { nextTurn } from "../work/timing.ts";
import type { OperatorContext } from "./context.ts";
import type { TakenRetryRun } from "./retry-run.ts";
import { stateFilter } from "./state-filter.ts";

/** How often a process looks for runs that another one left. */
const POLL_INTERVAL_MS = 5_000;
/** How long a run belongs to a process that says nothing. */
const LEASE_MS = 30_000;
/** How often a process says that a run is still its own, during a send that takes long. */
const RENEW_MS = 10_000;
/** How many sends a run comes to in one turn. */
const STEP = 25;
const PRUNE_INTERVAL_MS = 3_600_000;
const KEPT_MS = 30 * 24 * 3_600_000;

/** Works on retry runs of all tenants, a few sends of each in turn, and releases what resumed pauses held back. */
export class Retrying {
  /** The background loop. Each run that begins or goes on wakes it, and it also looks from time to time. */
  readonly loop: Loop;
  readonly #context: OperatorContext;
  #prunedMs = Number.NEGATIVE_INFINITY;

  constructor(context: OperatorContext) {
    this.#context = context;
    const { clock, logger } = context;
    this.loop = new Loop({ task: "go on with retries", run: () => this.#run(), clock, logger });
  }

  async #run(): Promise<NextRun> {
    await this.#context.ready();
    const { retryRuns, clock } = this.#context;
    await this.#prune();
    while (!this.loop.isStopping) {
      const run = await retryRuns.take(new Date(clock.now()), LEASE_MS);
      if (run === null) {
        break;
      }
      await this.#step(run);
      await nextTurn();
    }
    const releaseInMs = await releasePaused(this.#context, () => this.loop.isStopping);
    const runInMs = await retryRuns.nextDueInMs(new Date(clock.now()));
    const next = [releaseInMs, runInMs].filter((inMs) => inMs !== null);
    return { dueInMs: next.length === 0 ? null : Math.min(...next), lookInMs: POLL_INTERVAL_MS };
  }

  /** Comes to the next sends of a run. A send that it came to counts in the transaction after its retry: a crash in between leaves one uncounted. */
  async #step(run: TakenRetryRun): Promise<void> {
    const { activity, clock, retryRuns } = this.#context;
    const place = run.after === null ? {} : { after: run.after };
    const wanted = await stateFilter(this.#context, run, run.createdAt);
    const found = await activity.search(run.tenant, { ...wanted, isRetryable: true, ...place, limit: STEP });
    for (const { id } of found) {
      if (this.loop.isStopping) {
        break;
      }
      const retried = await this.#holding(run, () => retryUnlessChanged(this.#context, { tenant: run.tenant, id, ...actorOf(run) }));
      const progress = { after: id, retried, isOver: false, leaseMs: LEASE_MS, at: new Date(clock.now()) };
      if (!(await retryRuns.advance(run, progress))) {
        return;
      }
      await nextTurn();
    }
    const isOver = found.length < STEP && !this.loop.isStopping;
    await retryRuns.advance(run, { after: null, retried: false, isOver, leaseMs: 0, at: new Date(clock.now()) });
  }

  /** Does a part of a run, and keeps the run for this process meanwhile: a send to many takes longer than a lease. */
  async #holding<Done>(run: TakenRetryRun, work: () => Promise<Done>): Promise<Done> {
    const { clock, retryRuns, logger } = this.#context;
    let renewing: Promise<unknown> = Promise.resolve();
    const renew = () => {
      const held = { after: null, retried: false, isOver: false, leaseMs: LEASE_MS, at: new Date(clock.now()) };
      renewing = retryRuns.advance(run, held).catch((error: unknown) => {
        // Another process may take the run then, and finds that the send was retried.
        logger.warn({ error }, "Belfry could not keep a retry run for this process.");
      });
      cancel = clock.after(RENEW_MS, renew);
    };
    let cancel = clock.after(RENEW_MS, renew);
    try {
      return await work();
    } finally {
      cancel();
      await renewing;
    }
  }

  async #prune(): Promise<void> {
    const nowMs = this.#context.clock.now();
    if (Math.abs(nowMs - this.#prunedMs) >= PRUNE_INTERVAL_MS) {
      this.#prunedMs = nowMs;
      await this.#context.retryRuns.prune(new Date(nowMs - KEPT_MS));
    }
  }
}

/** Who retries the sends of a run: whoever asked for it, and nobody by name once that user was deleted. */
function actorOf({ actor }: TakenRetryRun): { readonly actor?: string } {
  return actor === "" ? {} : { actor };
}

/** Retries one send, or one delivery of it. Returns false if it is left alone: somebody else retried, deleted or settled it meanwhile. */
export async function retryUnlessChanged({ tryAgain }: Pick<OperatorContext, "tryAgain">, request: AgainRequest): Promise<boolean> {
  try {
    await tryAgain(request);
    return true;
  } catch (error) {
    if (error instanceof BelfryError && (error.code === "INVALID_STATE" || error.code === "NOT_FOUND")) {
      return false;
    }
    throw error;
  }
}
