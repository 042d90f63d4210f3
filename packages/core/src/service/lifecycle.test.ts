import { beforeEach, describe, expect, test } from "vitest";
import type { BelfryError } from "../foundation/errors.ts";
import { Lifecycle, type LifecycleParts } from "./lifecycle.ts";

/** Lets everything happen that waits for nothing but its turn. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

const code = (work: unknown): Promise<string> =>
  Promise.resolve(work).then(
    () => "done",
    (error: BelfryError) => error.code ?? error.message,
  );

describe("Lifecycle", () => {
  let told: string[];
  /** The promises that parts wait for, where a test says so. */
  let gates: Partial<Record<string, Promise<void>>>;
  let lifecycle: Lifecycle;

  beforeEach(() => {
    told = [];
    gates = {};
    const part = (name: string) => async () => {
      told.push(name);
      await gates[name];
    };
    const parts: LifecycleParts = {
      open: part("open"),
      listen: part("listen"),
      resume: () => void told.push("resume"),
      wake: () => void told.push("wake"),
      drain: part("drain"),
      close: [part("close transport"), part("close storage")],
    };
    lifecycle = new Lifecycle(parts);
  });

  /** Has `name` wait until the test opens the gate, or fails it. */
  function gate(name: string): { open(): void; fail(): void } {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => undefined);
    gates[name] = promise;
    return {
      open: resolve,
      fail() {
        delete gates[name];
        reject(new Error(`${name} failed`));
      },
    };
  }

  const STOPPING = ["drain", "close transport", "close storage"];

  test("goes from running over stopping and closing to stopped, and back", async () => {
    const [drain, close] = [gate("drain"), gate("close storage")];
    expect(lifecycle.mode).toBe("running");
    const stopped = lifecycle.stop();
    expect(lifecycle.mode).toBe("stopping");
    await turn();
    drain.open();
    await turn();
    expect(lifecycle.mode).toBe("closing");
    close.open();
    await stopped;
    expect(lifecycle.mode).toBe("stopped");
    await lifecycle.start();
    expect([lifecycle.mode, told]).toEqual(["running", [...STOPPING, "resume", "open", "listen", "wake"]]);
  });

  test("retires until it is stopped, or started again: calls go on, and no more requests are asked for", async () => {
    expect(lifecycle.unreadyReason).toBe("starting");
    const listening = gate("listen");
    const started = lifecycle.start();
    await turn();
    expect(lifecycle.unreadyReason).toBe("starting");
    listening.open();
    await started;
    expect(lifecycle.unreadyReason).toBeNull();
    lifecycle.retire();
    expect([lifecycle.mode, lifecycle.unreadyReason]).toEqual(["retiring", "retiring"]);
    (await lifecycle.ready())[Symbol.dispose]();
    lifecycle.requireRunning();
    await lifecycle.listening();
    await lifecycle.start();
    expect([lifecycle.mode, lifecycle.unreadyReason]).toEqual(["running", null]);
    lifecycle.retire();
    const stopped = lifecycle.stop();
    lifecycle.retire();
    expect([lifecycle.mode, lifecycle.unreadyReason]).toEqual(["stopping", "stopped"]);
    await stopped;
    expect([lifecycle.mode, lifecycle.unreadyReason]).toEqual(["stopped", "stopped"]);
    expect(told).toEqual(["open", "listen", "wake", "wake", ...STOPPING]);
  });

  test("several calls open once, and again after a failure", async () => {
    const opening = gate("open");
    const failed = [code(lifecycle.ready()), code(lifecycle.ready()), code(lifecycle.readyForWork())];
    opening.fail();
    expect(await Promise.all(failed)).toEqual(["open failed", "open failed", "open failed"]);
    (await lifecycle.ready())[Symbol.dispose]();
    expect(told).toEqual(["open", "open"]);
    await lifecycle.stop();
  });

  test("several starts at once are one, and several stops at once are one that all wait for", async () => {
    await Promise.all([lifecycle.start(), lifecycle.start()]);
    expect(told).toEqual(["open", "listen", "wake"]);
    const close = gate("close storage");
    const over: number[] = [];
    const stops = [1, 2].map((number) => lifecycle.stop().then(() => over.push(number)));
    await turn();
    expect(over).toEqual([]);
    close.open();
    await Promise.all(stops);
    await lifecycle.stop();
    expect([over, told.slice(3)]).toEqual([[1, 2], STOPPING]);
  });

  test("a start during a stop waits for it, then starts", async () => {
    const close = gate("close storage");
    const stopped = lifecycle.stop();
    const started = [lifecycle.start(), lifecycle.start()];
    await turn();
    expect(told).toEqual(STOPPING);
    close.open();
    await Promise.all([stopped, ...started]);
    expect([lifecycle.mode, told.slice(3)]).toEqual(["running", ["resume", "open", "listen", "wake"]]);
  });

  test("a stop while a start waits for another stop: stopped", async () => {
    const close = gate("close storage");
    const first = lifecycle.stop();
    const started = code(lifecycle.start());
    await turn();
    const second = lifecycle.stop();
    close.open();
    await Promise.all([first, second]);
    expect([await started, lifecycle.mode, told]).toEqual(["SERVICE_STOPPED", "stopped", STOPPING]);
  });

  test("a stop while a start opens: what was opened is closed, and the start is refused", async () => {
    const open = gate("open");
    const started = code(lifecycle.start());
    const stopped = lifecycle.stop();
    const startedAgain = lifecycle.start();
    await turn();
    open.open();
    await Promise.all([stopped, startedAgain]);
    expect(await started).toBe("SERVICE_STOPPED");
    expect([lifecycle.mode, told]).toEqual(["running", ["open", "listen", ...STOPPING, "resume", "open", "listen", "wake"]]);
  });

  test("after a failed start, a service can be called and started", async () => {
    await lifecycle.stop();
    gates.listen = Promise.reject(new Error("no database"));
    expect(await code(lifecycle.start())).toBe("no database");
    expect(lifecycle.mode).toBe("running");
    delete gates.listen;
    (await lifecycle.ready())[Symbol.dispose]();
    await lifecycle.start();
    expect(told.at(-1)).toBe("wake");
  });

  test("calls in flight finish before anything is drained; later ones are refused", async () => {
    const [first, second] = [await lifecycle.ready(), await lifecycle.ready()];
    const stopped = lifecycle.stop();
    expect(await code(lifecycle.ready())).toBe("SERVICE_STOPPED");
    expect(() => lifecycle.requireRunning()).toThrow("was stopped");
    expect(await code(lifecycle.listening())).toBe("SERVICE_STOPPED");
    expect(await code(lifecycle.readyForWork())).toBe("done");
    first[Symbol.dispose]();
    await turn();
    expect(told).toEqual(["open"]);
    second[Symbol.dispose]();
    await stopped;
    expect(told).toEqual(["open", ...STOPPING]);
    expect(await code(lifecycle.readyForWork())).toBe("SERVICE_STOPPED");
  });

  test("a call that waits for a failed opening is not a call in flight", async () => {
    const open = gate("open");
    const call = code(lifecycle.ready());
    const stopped = lifecycle.stop();
    open.fail();
    await stopped;
    expect([await call, lifecycle.mode]).toEqual(["open failed", "stopped"]);
  });

  test("everything is closed even if a part fails to close, and the caller of stop gets the error", async () => {
    gates.drain = Promise.reject(new Error("drain failed"));
    gates["close transport"] = Promise.reject(new Error("close failed"));
    gates["close transport"].catch(() => undefined);
    expect(await Promise.all([code(lifecycle.stop()), code(lifecycle.stop())])).toEqual(["drain failed", "drain failed"]);
    expect([lifecycle.mode, told]).toEqual(["stopped", STOPPING]);
  });
});
