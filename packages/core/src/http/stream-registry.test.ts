import { describe, expect, test } from "vitest";
import type { Clock } from "../foundation/clock.ts";
import { StreamRegistry } from "./stream-registry.ts";

/** A clock that tests move by hand. */
class HandClock implements Clock {
  #nowMs = 1_000_000;
  #tasks: { atMs: number; task: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((one) => one !== entry);
    };
  }

  get pending(): number {
    return this.#tasks.length;
  }

  pass(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#tasks.toSorted((left, right) => left.atMs - right.atMs)[0];
      if (next === undefined || next.atMs > untilMs) {
        break;
      }
      this.#tasks = this.#tasks.filter((one) => one !== next);
      this.#nowMs = next.atMs;
      next.task();
    }
    this.#nowMs = untilMs;
  }
}

function open() {
  const clock = new HandClock();
  const registry = new StreamRegistry(clock);
  const sent: string[] = [];
  const closed: (number | undefined)[] = [];
  const peer = { bufferedAmount: 0, send: (text: string) => void sent.push(text), close: (code?: number) => void closed.push(code) };
  return { clock, registry, peer, sent, closed, stream: registry.add(peer, "ping") };
}

describe("StreamRegistry", () => {
  test("a stream that was silent for 30 s is pinged, one that was not is left alone", () => {
    const { clock, sent, stream } = open();
    clock.pass(25_000);
    stream.send("event");
    clock.pass(29_000);
    expect(sent).toEqual(["event"]);
    clock.pass(6_000);
    expect(sent).toEqual(["event", "ping"]);
  });

  test("who gives no sign of life when asked, every 15 s, is let go", () => {
    const { clock, registry, peer, closed } = open();
    let asked = 0;
    const silent = {
      ...peer,
      isAlive() {
        asked += 1;
        return asked < 3;
      },
    };
    registry.add(silent, undefined);
    clock.pass(30_000);
    expect([asked, closed]).toEqual([2, []]);
    clock.pass(15_000);
    expect([asked, closed]).toEqual([3, [1001]]);
  });

  test("an expired credential ends its stream with 4401 within 5 s", () => {
    const { clock, closed, stream } = open();
    stream.expiresAtMs = clock.now() + 10_000;
    clock.pass(9_000);
    expect(closed).toEqual([]);
    clock.pass(6_000);
    expect(closed).toEqual([4401]);
  });

  test("a reader with more than 1 MiB outstanding is cut off if that is so for 5 s, one with more than 8 MiB at once", () => {
    const slow = open();
    slow.peer.bufferedAmount = 1024 * 1024 + 1;
    slow.stream.send("a burst");
    slow.clock.pass(4_000);
    expect([slow.closed, slow.sent]).toEqual([[], ["a burst"]]);
    slow.clock.pass(6_000);
    expect(slow.closed).toEqual([1008]);
    const drowned = open();
    drowned.peer.bufferedAmount = 8 * 1024 * 1024 + 1;
    drowned.stream.send("more");
    expect([drowned.closed, drowned.sent]).toEqual([[1008], []]);
  });

  test("one turn may send as much as it likes; the next turn may not, unless the reader has taken it", async () => {
    const { peer, sent, closed, stream } = open();
    const MIB = 1024 * 1024;
    for (let at = 0; at < 12; at += 1) {
      stream.send("a MiB");
      peer.bufferedAmount += MIB;
    }
    expect([closed, sent.length]).toEqual([[], 12]);
    await new Promise((resolve) => setImmediate(resolve));
    peer.bufferedAmount = 8 * MIB;
    stream.send("more");
    expect([closed, sent.length]).toEqual([[], 13]);
    peer.bufferedAmount = 9 * MIB;
    await new Promise((resolve) => setImmediate(resolve));
    stream.send("too much");
    expect([closed, sent.length]).toEqual([[1008], 13]);
  });

  test("a replay whose reader takes nothing for 30 s is over", async () => {
    const { clock, peer, closed, stream } = open();
    peer.bufferedAmount = 300 * 1024;
    let over = false;
    void stream.writable().then(() => {
      over = true;
    });
    for (let waited = 0; !over && waited < 40_000; waited += 50) {
      clock.pass(50);
      await Promise.resolve();
    }
    expect([over, closed]).toEqual([true, [1008]]);
  });

  test("a reader that has taken a burst in time is left alone", () => {
    const { clock, closed, peer, stream } = open();
    for (let burst = 0; burst < 5; burst += 1) {
      peer.bufferedAmount = 2 * 1024 * 1024;
      stream.send("burst");
      clock.pass(3_000);
      peer.bufferedAmount = 0;
      stream.send("more");
    }
    expect(closed).toEqual([]);
  });

  test("a replay waits until the reader has caught up, or is gone", async () => {
    const { clock, peer, stream } = open();
    peer.bufferedAmount = 300 * 1024;
    let ready = false;
    const writable = stream.writable().then(() => {
      ready = true;
    });
    clock.pass(1_000);
    await Promise.resolve();
    expect(ready).toBe(false);
    peer.bufferedAmount = 0;
    clock.pass(1_000);
    await writable;
    expect(ready).toBe(true);
  });

  test("closing all ends each once, and no timer is left", () => {
    const { clock, registry, closed, stream } = open();
    registry.closeAll();
    stream.close(1000, "again");
    stream.send("late");
    expect([closed, clock.pending]).toEqual([[1012], 0]);
  });
});
