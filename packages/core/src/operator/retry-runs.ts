import { type Acting, type AuditAction, actorOf, type NewAuditEntry, NO_NOTIFICATION } from "../delivery/index.ts";
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
/** How many characters the audit log keeps of what is said of a run. */
const MAX_DETAILS = 500;

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
   * is no failure: such deliveries are left alone. The run, and each send, get a line in the audit log.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a filter or an actor that cannot be; `INVALID_STATE` while 100 runs have not ended
   */
  async start(filter: ActivityFilter = {}, acting: Acting = {}): Promise<RetryRun> {
    const wanted = parseFilter("retries.start", filter);
    const actor = actorIn("start", acting);
    using _call = await this.#context.ready();
    const { activity, clock, ids, retryRuns } = this.#context;
    const createdAt = new Date(clock.now());
    const stated = await stateFilter(this.#context, { tenant: this.#tenant, filter: wanted }, createdAt);
    const matched = await activity.count(this.#tenant, { ...stated, isRetryable: true }, MAX_COUNT);
    const progress = { state: "running", matched, looked: 0, retried: 0, createdAt, endedAt: null } as const;
    const run: RetryRun = { id: ids.next(), filter: wanted, actor, ...progress };
    if (!(await retryRuns.add(this.#tenant, run, { most: MAX_OPEN, line: lineOf("retries_started", run, actor) }))) {
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

  /** Stops a run until it is resumed. @throws BelfryError `NOT_FOUND`; `INVALID_STATE` unless it is running; `VALIDATION_ERROR` */
  async pause(id: string, acting: Acting = {}): Promise<RetryRun> {
    return this.#move(id, { from: ["running"], to: "paused", ...by("retries_paused", actorIn("pause", acting)) });
  }

  /** Goes on with a paused run. @throws BelfryError `NOT_FOUND`; `INVALID_STATE` unless it is paused; `VALIDATION_ERROR` */
  async resume(id: string, acting: Acting = {}): Promise<RetryRun> {
    const run = await this.#move(id, { from: ["paused"], to: "running", ...by("retries_resumed", actorIn("resume", acting)) });
    this.#context.goOnRetrying();
    return run;
  }

  /** Ends a run where it is. What it has retried stays. @throws BelfryError `NOT_FOUND`; `INVALID_STATE` once it has ended; `VALIDATION_ERROR` */
  async cancel(id: string, acting: Acting = {}): Promise<RetryRun> {
    return this.#move(id, { from: ["running", "paused"], to: "cancelled", ...by("retries_cancelled", actorIn("cancel", acting)) });
  }

  async #move(id: string, { action, actor, ...move }: Move): Promise<RetryRun> {
    const before = await this.get(id);
    using _call = await this.#context.ready();
    const { clock, retryRuns } = this.#context;
    const line = lineOf(action, before, actor);
    const hasMoved = await retryRuns.move(this.#tenant, before.id, { ...move, line, at: new Date(clock.now()) });
    const run = await this.get(id);
    if (!hasMoved) {
      throw new BelfryError("INVALID_STATE", `The retry run ${shown(id)} cannot become ${move.to}: it is ${run.state}.`);
    }
    return run;
  }
}

/** A change of a run's state, and who asked for it. */
type Move = Pick<RetryRunMove, "from" | "to"> & ReturnType<typeof by>;

function by(action: AuditAction, actor: string) {
  return { action, actor };
}

function actorIn(method: string, acting: Acting): string {
  requireMembers(`the second argument of retries.${method}`, acting, ACTING);
  return actorOf(acting);
}

/** What the audit log says of a run's filter. The rest may name users: the log outlives their data. */
const NAMED = ["kind", "type", "channel", "status", "state", "from", "before"] as const;

/** The line of the audit log. */
function lineOf(action: AuditAction, { id, filter, matched, looked, retried }: RetryRun, actor: string): NewAuditEntry {
  const kept = NAMED.flatMap((name) => (filter[name] === undefined ? [] : [[name, filter[name]] as const]));
  const terms = kept.map(([name, value]) => `${name} ${value instanceof Date ? value.toISOString() : value}`);
  const hasMore = Object.keys(filter).some((name) => !NAMED.some((known) => known === name));
  const of = [...terms, ...(hasMore ? ["and more"] : [])].join(", ") || "everything";
  const far = action === "retries_started" ? `${matched} matched` : `${retried} of ${looked} retried`;
  const details = `${of}: ${far}`.slice(0, MAX_DETAILS).toWellFormed();
  return { action, actor, notificationId: NO_NOTIFICATION, targetKind: "retry_run", targetId: id, details };
}
