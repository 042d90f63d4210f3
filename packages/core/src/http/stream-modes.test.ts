import { describe, expect, test, vi } from "vitest";
import type { Clock } from "../foundation/clock.ts";
import { Stream } from "./stream.ts";

function stream(holdMs: number) {
  const due: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    after(_, task) {
      due.push(task);
      return () => void due.splice(due.indexOf(task), 1);
    },
  };
  const peer = { bufferedAmount: 0, send: vi.fn(), close: vi.fn() };
  const onGone = vi.fn();
  const opened = new Stream(peer, { ping: undefined, holdMs, clock, onGone });
  const pass = async () => {
    due.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { stream: opened, peer, onGone, pass };
}

describe("the modes of a stream", () => {
  test("held to open: texts leave when the time has passed", async () => {
    const { stream: held, peer, pass } = stream(5);
    held.send("first");
    expect([held.mode, peer.send.mock.calls]).toEqual(["held", []]);
    await pass();
    expect([held.mode, peer.send.mock.calls]).toEqual(["open", [["first"]]]);
  });

  test("held to closing to over: texts leave before the close, and nothing leaves after it", async () => {
    const { stream: held, peer, onGone, pass } = stream(5);
    held.send("first");
    held.close(4401, "unauthenticated");
    held.send("late");
    expect([held.mode, peer.close.mock.calls, onGone.mock.calls.length]).toEqual(["closing", [], 1]);
    await pass();
    expect([held.mode, peer.send.mock.calls, peer.close.mock.calls]).toEqual(["over", [["first"]], [[4401, "unauthenticated"]]]);
  });

  test("open to over: a close is passed on once", () => {
    const { stream: open, peer, onGone } = stream(0);
    expect(open.mode).toBe("open");
    open.close(1000, "done");
    open.close(1000, "again");
    open.send("late");
    expect([open.mode, peer.send.mock.calls, peer.close.mock.calls, onGone.mock.calls.length]).toEqual(["over", [], [[1000, "done"]], 1]);
  });

  test.each([0, 5])("a stream held for %i ms is over when the other end is gone", async (holdMs) => {
    const { stream: gone, peer, pass } = stream(holdMs);
    gone.gone();
    gone.send("late");
    await pass();
    gone.close(1000, "done");
    expect([gone.mode, peer.send.mock.calls, peer.close.mock.calls]).toEqual(["over", [], []]);
  });
});
