import { type Acting, actorOf } from "../delivery/index.ts";
import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { type ChecksOf, type MembersOf, requireId, requireInput, requireMembers } from "../foundation/issue-list.ts";
import { shown, whole } from "../foundation/parse-text.ts";
import type { ActivityFilter } from "./activity.ts";
import type { OperatorContext } from "./context.ts";
import { parseFilter } from "./parse-filter.ts";
import type { RetryRun, RetryRunMove } from "./retry-run.ts";
import { stateFilter } from "./state-filter.ts";

/** The highest count of matches. */
const MAX_COUNT = 10_000;
/** How many runs of a tenant may be running or paused: each of them has its turn before the next one has another. */
const MAX_OPEN = 100;
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

const ACTING: MembersOf<Acting> = { actor: true };

/** Options of a list of retry runs. */
export interface RetryRunsInput {
  /** 1 to 100. @default 20 */
  readonly limit?: number;
}

const LIST: ChecksOf<RetryRunsInput> = { limit: whole({ min: 1, max: MAX_LIMIT }) };

/**
 * Retries of everything that matches, in the background: `notifications.operator.retries`. A run goes from the newest send that failed, or is tried
 * again later, to the oldest, a few at a time, and keeps its place in the database: another process goes on with it after a crash.
 *
 * @example
 * ```ts
 * const { id } = await notifications.operator.retries.start({ channel: "email", from: new Date(Date.now() - 3_600_000) }, { actor: "ann" });
 * const { state, looked, retried, matched } = await notifications.operator.retries.get(id);
 * ```
 */
export class RetryRuns {
  readonly #tenant: string;
  readonly #context: OperatorContext;

  /** Hosts do not call this. They use `notifications.operator.retries`. */
  constructor(tenant: string, context: OperatorContext) {
    this.#tenant = tenant;
    this.#context = context;
  }

  /**
   * Starts to try again every send that matches and has a delivery that failed or is tried again later. That a user was not connected
   * is no failure: such deliveries are left alone. Each send gets a line in the audit log.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a filter or an actor that cannot be; `INVALID_STATE` while 100 runs have not ended
   */
  async start(filter: ActivityFilter = {}, acting: Acting = {}): Promise<RetryRun> {
    const wanted = parseFilter("retries.start", filter);
    requireMembers("the second argument of retries.start", acting, ACTING);
    const actor = actorOf(acting);
    using _call = await this.#context.ready();
    const { activity, clock, ids, retryRuns } = this.#context;
    const createdAt = new Date(clock.now());
    const stated = await stateFilter(this.#context, { tenant: this.#tenant, filter: wanted }, createdAt);
    const matched = await activity.count(this.#tenant, { ...stated, isRetryable: true }, MAX_COUNT);
    const progress = { state: "running", matched, looked: 0, retried: 0, createdAt, endedAt: null } as const;
    const run: RetryRun = { id: ids.next(), filter: wanted, actor, ...progress };
    if (!(await retryRuns.add(this.#tenant, run, MAX_OPEN))) {
      throw new BelfryError("INVALID_STATE", `${MAX_OPEN} retry runs have not ended. Wait for one of them, or cancel it.`);
    }
    this.#context.goOnRetrying();
    return run;
  }

  /** Returns retry runs, newest first. Those that ended more than 30 days ago are gone. @throws BelfryError `VALIDATION_ERROR` */
  async list(input: RetryRunsInput = {}): Promise<readonly RetryRun[]> {
    requireInput("retries.list", input, LIST);
    using _call = await this.#context.ready();
    return await this.#context.retryRuns.list(this.#tenant, input.limit ?? DEFAULT_LIMIT);
  }

  /** Returns a retry run and how far it got. @throws BelfryError `NOT_FOUND` */
  async get(id: string): Promise<RetryRun> {
    requireId(id);
    using _call = await this.#context.ready();
    const run = isUuid(id) ? await this.#context.retryRuns.find(this.#tenant, id.toLowerCase()) : null;
    if (run === null) {
      throw new BelfryError("NOT_FOUND", `There is no retry run ${shown(id)}.`);
    }
    return run;
  }

  /** Stops a run until it is resumed. @throws BelfryError `NOT_FOUND`; `INVALID_STATE` unless it is running */
  pause(id: string): Promise<RetryRun> {
    return this.#move(id, "paused", ["running"]);
  }

  /** Goes on with a paused run. @throws BelfryError `NOT_FOUND`; `INVALID_STATE` unless it is paused */
  async resume(id: string): Promise<RetryRun> {
    const run = await this.#move(id, "running", ["paused"]);
    this.#context.goOnRetrying();
    return run;
  }

  /** Ends a run where it is. What it has retried stays. @throws BelfryError `NOT_FOUND`; `INVALID_STATE` once it has ended */
  cancel(id: string): Promise<RetryRun> {
    return this.#move(id, "cancelled", ["running", "paused"]);
  }

  async #move(id: string, to: RetryRunMove["to"], from: RetryRunMove["from"]): Promise<RetryRun> {
    const before = await this.get(id);
    using _call = await this.#context.ready();
    const { clock, retryRuns } = this.#context;
    const hasMoved = await retryRuns.move(this.#tenant, before.id, { from, to, at: new Date(clock.now()) });
    const run = await this.get(id);
    if (!hasMoved) {
      throw new BelfryError("INVALID_STATE", `The retry run ${shown(id)} cannot become ${to}: it is ${run.state}.`);
    }
    return run;
  }
}
