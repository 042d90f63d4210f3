import { describe, expect, test, vi } from "vitest";
import { type Clock, systemClock } from "../foundation/clock.ts";
import type { Logger } from "../foundation/logger.ts";
import type { LeasedWork, LeasedWorkerOptions, Performed } from "./leased-work.ts";
import { LeasedWorker } from "./leased-worker.ts";
import type { Cancellation } from "./timing.ts";

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Lets everything happen that needs no time. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A clock that stands still until the test moves it. */
class HandClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Map<() => void, number>();

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    this.#timers.set(task, this.#nowMs + delayMs);
    return () => void this.#timers.delete(task);
  }

  pass(ms: number): void {
    this.#nowMs += ms;
    for (const [task, atMs] of [...this.#timers]) {
      if (atMs <= this.#nowMs && this.#timers.delete(task)) {
        task();
      }
    }
  }
}

/** Work whose tasks end when the test says so. */
class HandWork implements LeasedWork<number> {
  readonly name = "tasks";
  readonly due: number[] = [];
  readonly running = new Map<number, { end: () => void; cancellation: Cancellation }>();
  readonly done: number[] = [];
  mostAtOnce = 0;

  async tidy(): Promise<void> {}

  async claim(limit: number): Promise<readonly number[]> {
    return this.due.splice(0, limit);
  }

  async perform(task: number, cancellation: Cancellation): Promise<Performed> {
    await new Promise<void>((resolve) => {
      this.running.set(task, { end: resolve, cancellation });
      this.mostAtOnce = Math.max(this.mostAtOnce, this.running.size);
      cancellation.onAbort(resolve);
    });
    this.running.delete(task);
    this.done.push(task);
    return { end: "done", mayBeDue: false };
  }

  async renew(): Promise<readonly number[]> {
    return [];
  }

  async nextDueInMs(): Promise<number | null> {
    return null;
  }

  endAll(): void {
    for (const { end } of this.running.values()) {
      end();
    }
  }
}

function worker(work: LeasedWork<number>, options: Partial<LeasedWorkerOptions> = {}): LeasedWorker<number> {
  return new LeasedWorker(work, {
    concurrency: 3,
    leaseMs: 60_000,
    pollIntervalMs: null,
    drainMs: 60_000,
    clock: systemClock,
    logger: silent,
    ...options,
  });
}

describe("LeasedWorker", () => {
  test("a task begins without a claim once nothing waits, while there is room and the worker works", async () => {
    const work = new HandWork();
    const reserved: number[] = [];
    const givenUp: number[] = [];
    const reserve = (task: number) => task !== 13 && reserved.push(task) > 0;
    const lending = { owner: "me", reserve, giveUp: (task: number) => void givenUp.push(task) };
    const under = worker(Object.assign(work, { lending }));
    // What an earlier process left may be due.
    expect(under.reserve(() => 1)).toBeNull();
    await under.runDue();
    const turn = under.reserve(({ owner, leaseMs }) => {
      expect([owner, leaseMs]).toEqual(["me", 60_000]);
      return 1;
    });
    expect(under.reserve(() => 13)).toBeNull();
    const others = [under.reserve(() => 2), under.reserve(() => 3)];
    expect(under.reserve(() => 4)).toBeNull();
    others[0]?.giveUp();
    expect(givenUp).toEqual([2]);
    turn?.begin();
    others[1]?.begin();
    expect([...work.running.keys()]).toEqual([1, 3]);
    const late = under.reserve(() => 5);
    const stopped = under.stop();
    expect(under.reserve(() => 6)).toBeNull();
    late?.begin();
    work.endAll();
    await stopped;
    expect([work.done, givenUp, reserved]).toEqual([
      [1, 3],
      [2, 5],
      [1, 2, 3, 5],
    ]);
  });

  test("where a claim would find no more, the end of a task has none made, but a call has, and so has the time", async () => {
    const clock = new HandClock();
    const work = Object.assign(new HandWork(), { mayFindMore: (): boolean => false });
    const claim = vi.spyOn(work, "claim");
    const under = worker(work, { clock });
    work.due.push(1, 2);
    under.wake();
    await turns();
    expect([[...work.running.keys()], claim.mock.calls.length]).toEqual([[1, 2], 1]);
    work.due.push(3);
    work.running.get(1)?.end();
    await turns();
    expect([work.done, claim.mock.calls.length]).toEqual([[1], 1]);
    under.wake();
    await turns();
    expect([...work.running.keys()]).toEqual([2, 3]);
    work.due.push(4);
    work.running.get(2)?.end();
    await turns();
    expect([...work.running.keys()]).toEqual([3]);
    work.mayFindMore = () => true;
    clock.pass(25);
    await turns();
    expect([...work.running.keys()]).toEqual([3, 4]);
    work.endAll();
    await under.stop();
  });

  test("a look from time to time claims nothing while nothing is due, and what is due by then", async () => {
    const clock = new HandClock();
    const work = new HandWork();
    const [claim, nextDueInMs, tidy] = [vi.spyOn(work, "claim"), vi.spyOn(work, "nextDueInMs"), vi.spyOn(work, "tidy")];
    const under = worker(work, { clock, pollIntervalMs: 1_000 });
    const look = async (ms: number) => {
      clock.pass(ms);
      await turns();
      return claim.mock.calls.length;
    };
    under.wake();
    expect(await look(0)).toBe(1);
    expect([await look(1_000), tidy.mock.calls.length]).toEqual([1, 1]);
    expect([await look(10_000), tidy.mock.calls.length]).toEqual([2, 2]);
    nextDueInMs.mockResolvedValueOnce(0);
    work.due.push(1);
    expect([await look(1_000), tidy.mock.calls.length, [...work.running.keys()]]).toEqual([3, 3, [1]]);
    work.endAll();
    // Claims until one finds nothing. Then something is due in a moment, and claimed without a question.
    nextDueInMs.mockResolvedValueOnce(400);
    await look(25);
    const before = await look(0);
    work.due.push(2);
    nextDueInMs.mockRejectedValue(new Error("It was asked."));
    expect([await look(400), [...work.running.keys()]]).toEqual([before + 1, [2]]);
    work.endAll();
    await under.stop();
  });

  /** A worker of one turn, which has looked once, and what was given up. */
  async function lendingWorker(clock: Clock = systemClock) {
    const work = new HandWork();
    const givenUp: number[] = [];
    const lending = { owner: "me", reserve: () => true, giveUp: (task: number) => void givenUp.push(task) };
    const under = worker(Object.assign(work, { lending }), { concurrency: 1, clock });
    await under.runDue();
    return { under, work, givenUp };
  }

  test("a turn that is given back goes to a task that waits for it", async () => {
    const { under, work } = await lendingWorker();
    const turn = under.reserve(() => 1);
    work.due.push(2);
    under.wake();
    await turns();
    expect(work.running.size).toBe(0);
    turn?.giveUp();
    await turns();
    expect([...work.running.keys()]).toEqual([2]);
    work.endAll();
    await under.stop();
  });

  test.each([20_000, -20_000])(
    "a task whose turn is %s ms old does not begin by itself: a claim finds out whose it is",
    async (passedMs) => {
      const clock = new HandClock();
      const { under, work, givenUp } = await lendingWorker(clock);
      const turn = under.reserve(() => 1);
      clock.pass(passedMs);
      turn?.begin();
      expect([work.running.size, givenUp]).toEqual([0, [1]]);
      work.due.push(1);
      await turns();
      expect([...work.running.keys()]).toEqual([1]);
      work.endAll();
      await under.stop();
    },
  );

  test("a wake-up at any moment of a look that ends is not lost", async () => {
    for (let depth = 0; depth < 12; depth += 1) {
      const work = new HandWork();
      const under = worker(work);
      let isLate = false;
      work.nextDueInMs = async () => {
        if (!isLate) {
          isLate = true;
          let turn = Promise.resolve();
          for (let step = 0; step < depth; step += 1) {
            turn = turn.then(() => {});
          }
          void turn.then(() => {
            work.due.push(1);
            under.wake();
          });
        }
        return null;
      };
      under.wake();
      await expect.poll(() => work.running.size, { interval: 1 }).toBe(1);
      work.endAll();
      await under.stop();
    }
  });

  test.each([
    ["all of it", 3_600_000],
    ["a part of it", 3_000_000],
  ])("a wait counts from the question, also if %s is over at the answer", async (_, overMs) => {
    const clock = new HandClock();
    const work = new HandWork();
    let answer = (_dueInMs: number | null): void => {};
    work.nextDueInMs = () => new Promise((resolve) => (answer = resolve));
    const under = worker(work, { clock });
    under.wake();
    await turns();
    clock.pass(overMs);
    work.due.push(1);
    answer(3_600_000);
    await turns();
    clock.pass(3_600_000 - overMs);
    await turns();
    expect(work.running.size).toBe(1);
    work.endAll();
    await turns();
    answer(null);
    await under.stop();
  });

  test("does as many tasks at once as allowed, and does all of them", async () => {
    const work = new HandWork();
    work.due.push(1, 2, 3, 4, 5, 6, 7);
    const under = worker(work);
    const finished = under.runDue();
    while (work.done.length < 7) {
      await expect.poll(() => work.running.size).toBeGreaterThan(0);
      work.endAll();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await finished;
    expect([work.mostAtOnce, work.done.toSorted()]).toEqual([3, [1, 2, 3, 4, 5, 6, 7]]);
  });

  test("claims while a batch is being recorded and the next one waits for that, and no more", async () => {
    const work = new HandWork();
    work.due.push(1, 2, 3, 4, 5, 6, 7, 8, 9);
    const recorded: (() => void)[] = [];
    const under = worker({
      name: work.name,
      tidy: () => work.tidy(),
      claim: (limit) => work.claim(limit),
      renew: () => work.renew(),
      nextDueInMs: () => work.nextDueInMs(),
      async perform(task, _, attempted) {
        attempted();
        await new Promise<void>((resolve) => recorded.push(resolve));
        work.done.push(task);
        return { end: "done", mayBeDue: false };
      },
    });
    const finished = under.runDue();
    await turns();
    expect([work.due, under.load.leased]).toEqual([[7, 8, 9], 6]);
    recorded.shift()?.();
    await turns();
    expect(work.due).toEqual([]);
    while (work.done.length < 9) {
      recorded.shift()?.();
      await turns();
    }
    await finished;
  });

  test("stop aborts what does not end in time, also while the clock stands still", async () => {
    const work = new HandWork();
    work.due.push(1);
    const under = worker(work, { drainMs: 20, clock: new HandClock() });
    under.wake();
    await expect.poll(() => work.running.size).toBe(1);
    await under.stop();
    expect(work.done).toEqual([1]);
  });

  test("stop claims nothing more and waits for what is under way", async () => {
    const work = new HandWork();
    work.due.push(1, 2, 3, 4);
    const under = worker(work);
    under.wake();
    await expect.poll(() => work.running.size).toBe(3);
    const stopped = under.stop();
    work.endAll();
    await stopped;
    expect([work.done.toSorted(), work.due]).toEqual([[1, 2, 3], [4]]);
    under.wake();
    await new Promise((resolve) => setImmediate(resolve));
    expect(work.due).toEqual([4]);
  });

  test.each([
    ["ends by itself", false],
    ["is aborted", true],
  ])(
    "a stop is drained while what is under way goes on; what %s leaves it stopped, and a start makes it work again",
    async (_, isAborted) => {
      const work = new HandWork();
      work.due.push(1, 2);
      let expire = (): void => {};
      const clock = {
        now: () => 0,
        after: (delayMs: number, task: () => void) => {
          if (delayMs === 5_000) {
            expire = task;
          }
          return () => {};
        },
      };
      const under = worker(work, { concurrency: 1, drainMs: 5_000, clock });
      under.wake();
      await expect.poll(() => work.running.size).toBe(1);
      expect(under.mode).toBe("working");
      const stops = [under.stop(), under.stop()];
      await expect.poll(() => under.mode).toBe("draining");
      await new Promise((resolve) => setImmediate(resolve));
      if (isAborted) {
        expire();
        await new Promise((resolve) => queueMicrotask(() => resolve(null)));
        await expect.poll(() => under.mode).not.toBe("draining");
      } else {
        work.endAll();
      }
      await Promise.all(stops);
      expect([under.mode, work.done, work.due]).toEqual(["stopped", [1], [2]]);
      under.wake();
      expect([under.mode, work.running.size]).toEqual(["stopped", 0]);
      under.start();
      under.wake();
      await expect.poll(() => work.running.size).toBe(1);
      expect(under.mode).toBe("working");
      work.endAll();
      await under.stop();
    },
  );

  test("an attempt that does not end in time is aborted", async () => {
    const work = new HandWork();
    work.due.push(1);
    const under = worker(work, { drainMs: 1 });
    under.wake();
    await expect.poll(() => work.running.size).toBe(1);
    const { cancellation } = work.running.get(1) as { cancellation: Cancellation };
    await under.stop();
    expect([cancellation.aborted, work.done]).toEqual([true, [1]]);
  });

  test("an error while claiming is no end: it looks again", async () => {
    const work = new HandWork();
    work.due.push(1);
    let failures = 0;
    const failing: LeasedWork<number> = {
      name: "tasks",
      tidy: () => work.tidy(),
      claim: async (limit) => {
        if (failures === 0) {
          failures += 1;
          throw new Error("no database");
        }
        return work.claim(limit);
      },
      perform: (task, cancellation) => work.perform(task, cancellation),
      renew: () => work.renew(),
      nextDueInMs: () => work.nextDueInMs(),
    };
    const under = worker(failing);
    under.wake();
    await expect.poll(() => work.running.size, { timeout: 10_000 }).toBe(1);
    work.endAll();
    await under.stop();
    expect([failures, work.done]).toEqual([1, [1]]);
  });
});
