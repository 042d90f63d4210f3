import type { WorkContext } from "../foundation/context.ts";
import { BatchQueue } from "./batch-queue.ts";
import { TenantShare } from "./fairness.ts";
import { HeldTasks } from "./held-tasks.ts";
import { type Lease, type LeaseRequest, mayTakeOver, type SharedStorage } from "./lease-storage.ts";
import type { LeasedTasks } from "./leased-tasks.ts";
import type { LeasedWork, NamedTasks, Performed } from "./leased-work.ts";
import type { Lending } from "./lending.ts";
import { lookAtDue } from "./look-at-due.ts";
import { LostLeases } from "./lost-leases.ts";
import { OtherTenants } from "./other-tenants.ts";
import { RecentMost } from "./recent-most.ts";
import { afterNextTurn, type Cancellation, recordAgain } from "./timing.ts";

/** How many ends of attempts are recorded at once. */
const MAX_RECORDED = 512;
/** Over how long the lag of claims counts, and over as long before. */
const LAG_PERIOD_MS = 60_000;

/** The parts that a {@link LeaseEngine} uses. */
export interface LeaseEngineOptions extends WorkContext {
  /** Names the worker: drawn once for each service, so that what an earlier process held is told apart. */
  readonly owner: string;
  /** The most tasks that are attempted at once. */
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly storage: SharedStorage;
}

type Ask<Task, Fairness> = (request: LeaseRequest & Fairness) => Promise<readonly Task[]>;

/**
 * Claims tasks of one kind, renews their leases, ends those that others lost, keeps one tenant from taking every turn,
 * and records ends in batches:
 *
 * ```
 * due ──claim──> leased ──attempt──> ended ──record──> whatever its domain makes of it
 *                leased ──lease lost──> due again, or failed
 * ```
 */
export class LeaseEngine<Task, Fairness extends object, Ended> implements LeasedWork<Task> {
  readonly name: string;
  readonly lending: Lending<Task>;
  readonly byName?: NamedTasks<Task>;
  readonly #tasks: LeasedTasks<Task, Fairness, Ended>;
  readonly #options: LeaseEngineOptions;
  readonly #held: HeldTasks<Task>;
  /** The claim under way; null for none. */
  #claiming: PromiseWithResolvers<void> | null = null;
  readonly #share: TenantShare;
  readonly #lag = new RecentMost(LAG_PERIOD_MS);
  readonly #others = new OtherTenants();
  readonly #ended: BatchQueue<Ended, boolean>;
  readonly #lost: LostLeases<Task, Fairness, Ended>;

  constructor(tasks: LeasedTasks<Task, Fairness, Ended>, options: LeaseEngineOptions) {
    this.name = tasks.name;
    this.#tasks = tasks;
    this.#options = options;
    this.#share = new TenantShare(options.concurrency);
    this.#held = new HeldTasks((task) => tasks.leaseOf(task));
    const { owner, leaseMs, clock } = options;
    this.#lost = new LostLeases(tasks, { owner, leaseMs, clock, held: this.#held });
    this.lending = { owner, reserve: (task) => this.#reserve(task), giveUp: (task) => this.#giveUp(task) };
    const { named } = tasks;
    if (named !== undefined) {
      this.byName = {
        due: (limit) =>
          lookAtDue(limit, (exceptTenants) =>
            named.due({ ...tasks.fairness(), at: this.#now(), limit, exceptTenants: [...this.#share.full(), ...exceptTenants] }),
          ),
        claim: (names, limit) => this.#claimFresh(limit, (request) => named.claimNamed(names, request)),
        nameOf: (task) => nameOf(tasks.leaseOf(task)),
      };
    }
    this.#ended = new BatchQueue({
      count: () => MAX_RECORDED,
      write: (ended) => tasks.record(owner, ended),
      settle: (pending, counted) => pending.resolve(counted),
      // The claim goes first for which there is room now: its tasks are attempted while the database records the next ends.
      between: afterNextTurn,
    });
  }

  get lagMs(): number | null {
    return this.#lag.at(this.#options.clock.now());
  }

  async tidy(): Promise<void> {
    await this.#options.ready();
    // The first tidying takes over what earlier processes left.
    await this.#lost.end(() => mayTakeOver(this.#options, this.name));
    this.#held.forgetUnrecorded();
    await this.#tasks.tidy?.();
  }

  mayFindMore(): boolean {
    return this.#held.mayHoldMore || !this.#foundNoOthersJustNow || this.#share.full().length === 0;
  }

  claim(limit: number, wokenMs = Number.NEGATIVE_INFINITY): Promise<readonly Task[]> {
    return this.#claimFresh(limit, (request) => this.#tasks.leases.claim(request), wokenMs);
  }

  /** Claims come one after another: what one is given is leased to the worker, and in nobody's hand before its answer is here. */
  async #claimFresh(limit: number, ask: Ask<Task, Fairness>, wokenMs = Number.NEGATIVE_INFINITY): Promise<readonly Task[]> {
    while (this.#claiming !== null) {
      await this.#claiming.promise;
    }
    const claiming = Promise.withResolvers<void>();
    this.#claiming = claiming;
    try {
      return await this.#claimAlone(limit, ask, wokenMs);
    } finally {
      this.#claiming = null;
      claiming.resolve();
    }
  }

  async #claimAlone(limit: number, ask: Ask<Task, Fairness>, wokenMs: number): Promise<readonly Task[]> {
    const { clock, leaseMs } = this.#options;
    const askedMs = clock.now();
    const foundBefore = this.#held.found;
    const tasks = await this.#takeShares(limit, (most) => this.#claim(most, wokenMs, ask));
    // The answer comes late if the database hung or the process was stopped. The distance counts, because a clock may go back.
    const isFresh = this.#held.found === foundBefore && Math.abs(clock.now() - askedMs) < leaseMs / 3;
    return isFresh || tasks.length === 0 ? tasks : this.#stillHeld(tasks);
  }

  async perform(task: Task, cancellation: Cancellation, attempted?: () => void): Promise<Performed> {
    try {
      let ended: Ended;
      try {
        ended = await this.#tasks.attempt(task, cancellation);
      } finally {
        this.#giveTurnBack(task);
        attempted?.();
      }
      let counted: boolean;
      try {
        counted = await this.#ended.write(ended);
      } catch (error) {
        const { leaseMs, clock } = this.#options;
        counted = await recordAgain(() => this.#ended.write(ended), error, { leaseMs, clock, cancellation });
      }
      return this.#performed(task, ended, counted);
    } catch (error) {
      this.#held.leaveUnrecorded(this.#tasks.leaseOf(task));
      throw error;
    } finally {
      this.#held.delete(this.#tasks.leaseOf(task).id);
    }
  }

  #performed(task: Task, ended: Ended, counted: boolean): Performed {
    if (!counted) {
      // It was acknowledged meanwhile, deleted, or taken over by another worker, whose attempt counts.
      const { id } = this.#tasks.leaseOf(task);
      this.#options.logger.info({ id }, `One of the ${this.name} had ended otherwise before its attempt did.`);
      return { end: "lost", mayBeDue: true };
    }
    return { end: this.#tasks.endOf(ended), mayBeDue: this.#tasks.makesDue(ended) };
  }

  async renew(tasks: readonly Task[]): Promise<readonly Task[]> {
    const { owner, leaseMs } = this.#options;
    const leases = tasks.map((task) => nameOf(this.#tasks.leaseOf(task)));
    const held = await this.#tasks.leases.renew(owner, leases, { at: this.#now(), leaseMs });
    const ids = new Set(held.map(({ id }) => id));
    return tasks.filter((task) => !ids.has(this.#tasks.leaseOf(task).id));
  }

  nextDueInMs(): Promise<number | null> {
    return this.#tasks.leases.nextDueInMs(this.#now());
  }

  async #takeShares(limit: number, claim: (limit: number) => Promise<readonly Task[]>): Promise<readonly Task[]> {
    // All that is due may be one tenant's: it gets its share, and another claim leaves it out.
    const most = Math.min(limit, this.#share.room());
    const claimed = await (this.#share.full().length > 0 ? this.#takeOthers(most, claim) : this.#take(most, claim));
    if (claimed.length < most || most === limit || this.#foundNoOthersJustNow) {
      return claimed;
    }
    try {
      const others = await this.#takeOthers(Math.min(limit - most, this.#share.room()), claim);
      return [...claimed, ...others];
    } catch (error) {
      this.#options.logger.debug({ error }, `Belfry could not claim more ${this.name}; it goes on with those it has.`);
      return claimed;
    }
  }

  /** Takes tasks while some tenants have their share: only of others. */
  async #takeOthers(limit: number, claim: (limit: number) => Promise<readonly Task[]>): Promise<readonly Task[]> {
    const leftOut = this.#share.full();
    const others = await this.#take(limit, claim);
    this.#others.claimed(leftOut, { hasFound: others.length > 0, nowMs: this.#options.clock.now() });
    return others;
  }

  get #foundNoOthersJustNow(): boolean {
    return this.#others.hadNoneJustNow(this.#options.clock.now());
  }

  /**
   * Renews leases that may have run out before their attempts began, and returns the tasks that the worker still holds. Another
   * worker attempts the others.
   */
  async #stillHeld(tasks: readonly Task[]): Promise<readonly Task[]> {
    let lost = tasks;
    try {
      lost = await this.renew(tasks);
    } catch (error) {
      this.#held.lookForMore();
      throw error;
    } finally {
      for (const task of lost) {
        this.#held.delete(this.#tasks.leaseOf(task).id);
        this.#giveTurnBack(task);
      }
    }
    return tasks.filter((task) => !lost.includes(task));
  }

  /** Another task may have the turn of this one, which is attempted no longer: its tenant's, and whatever else is fair. */
  #giveTurnBack(task: Task): void {
    const { tenant } = this.#tasks.leaseOf(task);
    this.#others.ended(tenant);
    this.#share.ended(tenant);
    this.#tasks.ended?.(task);
  }

  async #take(limit: number, claim: (limit: number) => Promise<readonly Task[]>): Promise<readonly Task[]> {
    const askedMs = this.#options.clock.now();
    const found = await this.#held.findMore(limit, () => this.#tasks.leases.leasedTo(this.#options.owner));
    const taken = [...found, ...(found.length < limit ? await claim(limit - found.length) : [])];
    for (const task of taken) {
      this.#hold(task, askedMs);
    }
    return taken;
  }

  #hold(task: Task, askedMs: number): void {
    const { id, tenant } = this.#tasks.leaseOf(task);
    this.#held.add(id);
    this.#share.began(tenant);
    this.#tasks.began?.(task, askedMs);
  }

  #reserve(task: Task): boolean {
    const mayBegin = this.#share.mayBegin(this.#tasks.leaseOf(task).tenant) && this.#tasks.mayBegin?.(task) === true;
    if (mayBegin) {
      this.#hold(task, this.#options.clock.now());
      this.#tasks.reserved?.(task);
    }
    return mayBegin;
  }

  /** It may be written after all, with a lease of this worker's: the next claim finds out. */
  #giveUp(task: Task): void {
    this.#held.delete(this.#tasks.leaseOf(task).id);
    this.#giveTurnBack(task);
    this.#held.lookForMore();
  }

  async #claim(limit: number, wokenMs: number, ask: Ask<Task, Fairness>): Promise<readonly Task[]> {
    const { owner, leaseMs, clock } = this.#options;
    const at = new Date(Math.max(clock.now(), wokenMs));
    const request = { owner, at, leaseMs, limit, exceptTenants: this.#share.full() };
    try {
      const claimed = await ask({ ...this.#tasks.fairness(), ...request });
      this.#noteLag(claimed);
      return claimed;
    } catch (error) {
      this.#held.lookForMore();
      throw error;
    }
  }

  #noteLag(claimed: readonly Task[]): void {
    const nowMs = this.#options.clock.now();
    for (const task of claimed) {
      const dueAt = this.#tasks.dueAtOf(task);
      if (dueAt !== null) {
        this.#lag.note(Math.max(0, nowMs - dueAt.getTime()), nowMs);
      }
    }
  }

  #now(): Date {
    return new Date(this.#options.clock.now());
  }
}

function nameOf({ id, fence }: Lease): Lease {
  return { id, fence };
}
