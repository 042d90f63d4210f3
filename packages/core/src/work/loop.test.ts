import { beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "../foundation/clock.ts";
import { Loop, type LoopOptions, type NextRun } from "./loop.ts";

/** A clock that stands still until the test moves it. */
class HandClock implements Clock {
  nowMs = 0;
  readonly timers = new Map<() => void, number>();

  now(): number {
    return this.nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    this.timers.set(task, this.nowMs + delayMs);
    return () => void this.timers.delete(task);
  }

  pass(ms: number): void {
    this.nowMs += ms;
    for (const [task, atMs] of [...this.timers]) {
      if (atMs <= this.nowMs && this.timers.delete(task)) {
        task();
      }
    }
  }
}

/** Lets everything happen that needs no time. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("Loop", () => {
  let clock: HandClock;
  let runs: { end(next?: NextRun): void; fail(error: Error): void }[];
  let logged: string[];

  beforeEach(() => {
    clock = new HandClock();
    runs = [];
    logged = [];
  });

  function loopOf(options: Partial<LoopOptions> = {}): Loop {
    const log = (level: string) => (_: object, message: string) => void logged.push(`${level}: ${message}`);
    const logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
    const run = () =>
      new Promise<NextRun>((resolve, reject) => {
        runs.push({ end: (next = null) => resolve(next), fail: reject });
      });
    return new Loop({ task: "work", run, clock, logger, ...options });
  }

  async function end(next?: NextRun): Promise<void> {
    runs.at(-1)?.end(next);
    await turn();
  }

  async function fail(): Promise<void> {
    runs.at(-1)?.fail(new Error("no database"));
    await turn();
  }

  test("a run that looks for more runs again when it looks, or earlier when something is due", async () => {
    const loop = loopOf();
    loop.wake();
    await end({ dueInMs: 7_000, lookInMs: 5_000 });
    clock.pass(5_000);
    expect([runs.length, loop.state]).toEqual([2, "running"]);
    await end({ dueInMs: 2_000, lookInMs: 5_000 });
    clock.pass(2_000);
    expect([runs.length, loop.state]).toEqual([3, "running"]);
    await end({ dueInMs: 7_000, lookInMs: 5_000 });
    clock.pass(5_000);
    clock.pass(2_000);
    expect([runs.length, loop.state]).toEqual([4, "again"]);
    await end(null);
    expect([runs.length, loop.state]).toEqual([5, "running"]);
    await end({ dueInMs: null, lookInMs: 5_000 });
    await loop.stop();
    clock.pass(60_000);
    expect(runs.length).toBe(5);
  });

  test("a wait counts from the time that the run names, and the next run begins at once if it is over", async () => {
    const loop = loopOf();
    loop.wake();
    clock.pass(2_000);
    await end({ dueInMs: 5_000, sinceMs: 0, lookInMs: null });
    clock.pass(2_000);
    expect([runs.length, loop.state]).toEqual([1, "idle"]);
    clock.pass(1_000);
    expect([runs.length, loop.state]).toEqual([2, "running"]);
    clock.pass(5_000);
    await end({ dueInMs: 5_000, sinceMs: 5_000, lookInMs: null });
    expect([runs.length, loop.state]).toEqual([3, "running"]);
    await end({ dueInMs: 5_000, sinceMs: 99_000, lookInMs: null });
    clock.pass(5_000);
    expect([runs.length, loop.state]).toEqual([4, "running"]);
  });

  /** Brings a new loop into a state. */
  const into = {
    idle: async () => loopOf(),
    running: async () => {
      const loop = loopOf();
      loop.wake();
      return loop;
    },
    again: async () => {
      const loop = await into.running();
      loop.wake();
      return loop;
    },
    retrying: async () => {
      const loop = await into.running();
      await fail();
      return loop;
    },
    stopping: async () => {
      const loop = await into.running();
      void loop.stop();
      return loop;
    },
    stopped: async () => {
      const loop = loopOf();
      await loop.stop();
      return loop;
    },
  } as const;

  const events = {
    wake: (loop: Loop) => loop.wake(),
    timer: () => clock.pass(1_000),
    runNow: (loop: Loop) => void loop.runNow(),
    stop: (loop: Loop) => void loop.stop(),
    start: (loop: Loop) => loop.start(),
    "the run ends": () => end(),
    "the run fails": () => fail(),
  } as const;

  test.each([
    ["idle", "wake", "running", 1],
    ["idle", "runNow", "running", 1],
    ["idle", "stop", "stopped", 0],
    ["idle", "start", "idle", 0],
    ["running", "wake", "again", 1],
    ["running", "runNow", "again", 1],
    ["running", "stop", "stopping", 1],
    ["running", "start", "running", 1],
    ["running", "the run ends", "idle", 1],
    ["running", "the run fails", "retrying", 1],
    ["again", "wake", "again", 1],
    ["again", "stop", "stopping", 1],
    ["again", "the run ends", "running", 2],
    ["again", "the run fails", "retrying", 1],
    ["retrying", "wake", "retrying", 1],
    ["retrying", "timer", "running", 2],
    ["retrying", "runNow", "running", 2],
    ["retrying", "stop", "stopped", 1],
    ["retrying", "start", "retrying", 1],
    ["stopping", "wake", "stopping", 1],
    ["stopping", "runNow", "stopping", 1],
    ["stopping", "stop", "stopping", 1],
    ["stopping", "start", "running", 1],
    ["stopping", "the run ends", "stopped", 1],
    ["stopping", "the run fails", "stopped", 1],
    ["stopped", "wake", "stopped", 0],
    ["stopped", "runNow", "stopped", 0],
    ["stopped", "stop", "stopped", 0],
    ["stopped", "start", "idle", 0],
  ] as const)("%s, %s: %s", async (from, event, to, count) => {
    const loop = await into[from]();
    expect(loop.state).toBe(from);
    await events[event](loop);
    expect([loop.state, runs.length]).toEqual([to, count]);
  });

  test("a run that returns a time is followed by another run at that time", async () => {
    const loop = await into.running();
    await end(500);
    clock.pass(499);
    expect([loop.state, runs.length]).toEqual(["idle", 1]);
    clock.pass(1);
    expect([loop.state, runs.length]).toEqual(["running", 2]);
  });

  test("a wake-up before that time takes the place of the timer", async () => {
    const loop = await into.running();
    await end(500);
    loop.wake();
    expect(clock.timers.size).toBe(0);
    await end();
    clock.pass(10_000);
    expect(runs).toHaveLength(2);
  });

  test("an error is one line and one retry, however many wake-ups come meanwhile", async () => {
    const loop = await into.retrying();
    for (let count = 0; count < 20; count += 1) {
      loop.wake();
    }
    expect([clock.timers.size, runs.length]).toEqual([1, 1]);
    clock.pass(1_000);
    await end();
    expect([loop.state, runs.length, clock.timers.size]).toEqual(["idle", 2, 0]);
    expect(logged).toEqual(["error: Belfry could not work; it tries again in 1000 ms."]);
  });

  test("endless errors log a line a minute, and the others at debug level", async () => {
    await into.retrying();
    for (let second = 0; second < 120; second += 1) {
      clock.pass(1_000);
      await fail();
    }
    expect(runs).toHaveLength(121);
    expect(logged.filter((line) => line.startsWith("error"))).toHaveLength(3);
    expect(logged.filter((line) => line.startsWith("debug"))).toHaveLength(118);
  });

  test("without a retry an error waits for the next wake-up", async () => {
    const loop = loopOf({ retryMs: null, level: "debug" });
    loop.wake();
    await fail();
    expect([loop.state, clock.timers.size, logged]).toEqual(["idle", 0, ["debug: Belfry could not work; it does when it is woken."]]);
    loop.wake();
    loop.wake();
    await fail();
    expect([loop.state, runs.length]).toEqual(["running", 3]);
  });

  test("a stop waits for the run at hand, however often it is asked for, and leaves no timer", async () => {
    const loop = await into.again();
    const over: number[] = [];
    const stops = [1, 2].map((number) => loop.stop().then(() => over.push(number)));
    await turn();
    expect([loop.state, over]).toEqual(["stopping", []]);
    await end(500);
    await Promise.all(stops);
    expect([loop.state, over, clock.timers.size, runs.length]).toEqual(["stopped", [1, 2], 0, 1]);
  });

  test("runNow resolves once the runs that were asked for are over", async () => {
    const loop = await into.running();
    let isOver = false;
    const waiting = loop.runNow().then(() => {
      isOver = true;
    });
    await end();
    expect([isOver, runs.length]).toEqual([false, 2]);
    await end();
    await waiting;
    expect([isOver, loop.state]).toEqual([true, "idle"]);
  });

  test("work that needs no waiting is over before the wake-up returns", () => {
    let count = 0;
    const loop = loopOf({
      run: () => {
        count += 1;
        if (count < 5) {
          // As a listener that writes does.
          loop.wake();
        }
        return count === 5 ? 100 : null;
      },
    });
    loop.wake();
    expect([count, loop.state, clock.timers.size]).toEqual([5, "idle", 1]);
  });

  test("work that throws at once is retried, too", () => {
    const loop = loopOf({
      run: () => {
        throw new Error("no database");
      },
    });
    loop.wake();
    expect([loop.state, clock.timers.size, logged.length]).toEqual(["retrying", 1, 1]);
  });

  test("work that stops its own loop is its last", async () => {
    const loop = loopOf({
      run: () => {
        void loop.stop();
        return 100;
      },
    });
    loop.wake();
    await loop.stop();
    expect([loop.state, clock.timers.size]).toEqual(["stopped", 0]);
  });

  test("wakeIn sets a timer only where none is set and nothing runs", async () => {
    const loop = loopOf();
    loop.wakeIn(500);
    loop.wakeIn(100);
    expect([...clock.timers.values()]).toEqual([500]);
    clock.pass(500);
    loop.wakeIn(100);
    expect([loop.state, clock.timers.size]).toEqual(["running", 0]);
  });
});
