import type { DueWorker } from "./due-worker.ts";
import type { LeasedWork, LeasedWorkerOptions, Performed, TaskEnd } from "./leased-work.ts";
import type { GivenLease, ReservedTask } from "./lending.ts";
import { Loop, type NextRun } from "./loop.ts";
import { TasksUnderWay } from "./tasks-under-way.ts";
import { Cancellation, nextTurn } from "./timing.ts";
import { type NextDue, Upkeep } from "./upkeep.ts";
import type { WorkerLoad, WorkerMode } from "./worker-load.ts";

/** After a claim that found some, it looks again when an attempt ends, or after this pause. Once it finds none, it asks when the next is due. */
const AGAIN_DELAY_MS = 25;
/** After so long, a look from time to time tidies and claims also if nothing is known to be due. */
const MOST_QUIET_MS = 10_000;
/** How long aborted tasks may take to record their end. */
const ABORT_GRACE_MS = 2_000;

/** What became of a task whose end could not be recorded. */
const UNRECORDED = { end: null, mayBeDue: true };
type Unrecorded = typeof UNRECORDED;

/**
 * Claims tasks and does them, several at once: whenever it is woken, when the next one is due, and from time to time.
 *
 * | mode       | what it does                                                   | ends with                                     |
 * | ---------- | -------------------------------------------------------------- | --------------------------------------------- |
 * | `working`  | a {@link Loop} tidies and claims; tasks are performed           | stop: `draining`                              |
 * | `draining` | nothing is claimed; tasks under way go on, their leases renewed | no task left: `stopped`; `drainMs`: `aborting` |
 * | `aborting` | tasks under way are aborted, and record that                    | no task left, or 2 s: `stopped`               |
 * | `stopped`  | nothing                                                        | start: `working`                              |
 *
 * It is `working` from the beginning, but looks for nothing before it is woken.
 */
export class LeasedWorker<Task> implements DueWorker<Task> {
  readonly #work: LeasedWork<Task>;
  readonly #options: LeasedWorkerOptions;
  readonly #underWay: TasksUnderWay<Task>;
  readonly #claiming: Loop;
  readonly #renewal: Loop;
  readonly #upkeep: Upkeep;
  /** Whether tasks may be due that found no room, or that were not fair to claim: the end of another makes it look again. */
  #someWait = true;
  /**
   * When it was woken for what others did, until it looks: what came is due by then, even if the time of day goes back before the look. What
   * waits for the end of its own tasks was due before.
   */
  #wokenMs = Number.NEGATIVE_INFINITY;
  /** The time in which nothing was due when the last look ended; null if that is not known. */
  #quiet: { readonly fromMs: number; readonly untilMs: number } | null = null;
  #mode: WorkerMode = "working";
  #stopping: Promise<void> | null = null;

  constructor(work: LeasedWork<Task>, options: LeasedWorkerOptions) {
    this.#work = work;
    this.#options = options;
    const { clock, logger, concurrency } = options;
    this.#underWay = new TasksUnderWay(concurrency);
    this.#upkeep = new Upkeep(work, options);
    this.#claiming = new Loop({ task: `look for ${work.name}`, run: () => this.#claim(), clock, logger });
    this.#renewal = new Loop({
      task: `renew its leases of ${work.name}`,
      run: () => this.#renew(),
      retryMs: this.#renewalMs,
      level: "warn",
      clock,
      logger,
    });
  }

  get mode(): WorkerMode {
    return this.#mode;
  }

  get load(): WorkerLoad {
    const { concurrency } = this.#options;
    const { name, lending, lagMs = null } = this.#work;
    const load = { mode: this.#mode, concurrency, attempting: this.#underWay.attempting, leased: this.#underWay.count, lagMs };
    return { name, owner: lending?.owner ?? null, ...load };
  }

  wake(): void {
    this.#noteWoken();
    this.#claiming.wake();
  }

  #noteWoken(): void {
    this.#wokenMs = Math.max(this.#wokenMs, this.#options.clock.now());
  }

  /**
   * While others may be due and wait for their turns, there is none to reserve: who came first goes first.
   */
  reserve(make: (lease: GivenLease) => Task): ReservedTask | null {
    const { lending } = this.#work;
    if (lending === undefined || this.#mode !== "working" || this.#someWait || this.room === 0) {
      return null;
    }
    const { leaseMs, clock } = this.#options;
    const [lease, reservedMs] = [{ owner: lending.owner, leaseMs }, clock.now()];
    const task = make(lease);
    if (!lending.reserve(task)) {
      return null;
    }
    this.#underWay.takeTurn();
    const giveUp = () => {
      this.#underWay.giveTurnBack();
      lending.giveUp(task);
      this.#quiet = null;
      this.#wakeOthers();
    };
    const begin = () => {
      const isFresh = Math.abs(clock.now() - reservedMs) < leaseMs / 3;
      if (this.#mode === "working" && isFresh) {
        this.#underWay.giveTurnBack();
        void this.begin(task);
      } else {
        // The write took long, or this worker stops. The lease runs out, unless a claim finds that it holds still.
        giveUp();
        this.wake();
      }
    };
    return { lease, begin, giveUp };
  }

  start(): void {
    if (this.#mode === "stopped") {
      this.#mode = "working";
      this.#claiming.start();
      this.#renewal.start();
    }
  }

  async runDue(): Promise<void> {
    do {
      this.#noteWoken();
      await this.#claiming.runNow();
      await this.#underWay.ended();
    } while (this.#underWay.count > 0 || this.#claiming.isRunning);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = null;
    });
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#mode = "draining";
    await this.#claiming.stop();
    const { drainMs, clock } = this.#options;
    await this.#underWay.endedWithin(drainMs, clock);
    if (this.#underWay.count > 0) {
      this.#mode = "aborting";
      this.#underWay.abort(this.#underWay.all(), "The service is stopping.");
      await this.#underWay.endedWithin(ABORT_GRACE_MS, clock);
    }
    await this.#renewal.stop();
    this.#mode = "stopped";
  }

  /**
   * It tidies now and then, and whenever something is due although there is nothing to claim: a wait, or a lost lease. It claims
   * first, so that what has just come does not wait for that; but not where it only looks from time to time for what nobody told it of: then it
   * asks first whether anything is due.
   */
  async #claim(): Promise<NextRun> {
    // Attempts end one after another, and are recorded together in the next turn: it counts the room of all of them.
    await nextTurn();
    this.#someWait = true;
    const isQuiet = this.#isQuiet;
    this.#quiet = null;
    const known = isQuiet ? await this.#upkeep.nextDue() : null;
    if (known !== null && known.dueInMs !== 0) {
      return this.#rest(known);
    }
    const [wokenMs, room] = [this.#wokenMs, this.room];
    if (room > 0) {
      this.#wokenMs = Number.NEGATIVE_INFINITY;
    }
    const looks = wokenMs > Number.NEGATIVE_INFINITY || this.#work.mayFindMore?.() !== false;
    const begun = looks ? await this.#beginDue(room, wokenMs) : 0;
    const hasTidied = await this.#upkeep.tidyNowAndThen();
    // With no room left, the first attempt that ends wakes it. If one has ended meanwhile, or more has come, it was woken.
    if (this.room === 0 || this.room > room - begun || this.#claiming.state === "again") {
      return null;
    }
    if (begun > 0 || !looks) {
      return AGAIN_DELAY_MS;
    }
    const next = await this.#upkeep.nextDue();
    this.#someWait = next.dueInMs === 0;
    if (next.dueInMs !== 0) {
      // What others told of since the last tidying is learned by another one.
      return hasTidied ? this.#rest(next) : this.#upkeep.nextRun(next);
    }
    if (!hasTidied) {
      await this.#upkeep.tidy();
    }
    await this.#beginDue(this.room, wokenMs);
    return this.room === 0 ? null : this.#upkeep.nextRun(await this.#upkeep.nextDue());
  }

  /** Nothing is due: looks from time to time only ask whether anything is, until what is known comes due. */
  #rest(next: NextDue): NextRun {
    const { dueInMs, sinceMs } = next;
    this.#someWait = false;
    // Whoever has woken it meanwhile, as one that gave up a turn, wants a whole look.
    const isWoken = this.#claiming.state === "again";
    this.#quiet = isWoken ? null : { fromMs: sinceMs, untilMs: sinceMs + (dueInMs ?? Number.POSITIVE_INFINITY) };
    return this.#upkeep.nextRun(next);
  }

  /** Whether nobody has woken it, and nothing of what was known has come due. The time of day may have gone back since. */
  get #isQuiet(): boolean {
    if (this.#quiet === null || this.#wokenMs > Number.NEGATIVE_INFINITY) {
      return false;
    }
    const nowMs = this.#options.clock.now();
    return nowMs >= this.#quiet.fromMs && nowMs < this.#quiet.untilMs && this.#upkeep.hasTidiedWithin(MOST_QUIET_MS);
  }

  get room(): number {
    return this.#underWay.room;
  }

  /** Claims up to `room` tasks, begins them, and returns how many. */
  async #beginDue(room: number, wokenMs: number): Promise<number> {
    const tasks = room > 0 && !this.#claiming.isStopping ? await this.#work.claim(room, wokenMs) : [];
    for (const task of tasks) {
      void this.begin(task);
    }
    return tasks.length;
  }

  /** Begins a claimed task, for which there was room. Resolves with its end once that is recorded; null if it could not be. */
  begin(task: Task): Promise<TaskEnd | null> {
    const cancellation = new Cancellation();
    this.#underWay.takeTurn();
    const done = this.#perform(task, cancellation);
    this.#underWay.add(task, { cancellation, done });
    this.#renewal.wakeIn(this.#renewalMs);
    return done;
  }

  #perform(task: Task, cancellation: Cancellation): Promise<TaskEnd | null> {
    let isAttempted = false;
    const attempted = () => {
      if (!isAttempted) {
        isAttempted = true;
        this.#underWay.giveTurnBack();
        this.#wakeOthers();
      }
    };
    const ended = ({ end, mayBeDue }: Performed | Unrecorded) => {
      this.#underWay.delete(task);
      attempted();
      if (mayBeDue) {
        this.wake();
      }
      this.#wakeOthers();
      return end;
    };
    return this.#work.perform(task, cancellation, attempted).then(ended, (error: unknown) => {
      this.#options.logger.error({ error }, `Belfry could not record how one of the ${this.#work.name} ended; its lease runs out.`);
      return ended(UNRECORDED);
    });
  }

  /** Tasks that waited for their turn may go now. */
  #wakeOthers(): void {
    if (this.#someWait) {
      this.#claiming.wake();
    }
  }

  async #renew(): Promise<NextRun> {
    if (this.#underWay.count === 0) {
      return null;
    }
    this.#underWay.abort(await this.#work.renew(this.#underWay.all()), "The lease was lost to another worker.");
    return this.#renewalMs;
  }

  get #renewalMs(): number {
    return this.#options.leaseMs / 3;
  }
}
