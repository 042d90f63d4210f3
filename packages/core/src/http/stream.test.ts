import { describe, expect, test } from "vitest";
import type { Clock } from "../foundation/clock.ts";
import { consoleLogger } from "../foundation/logger.ts";
import type { Peer } from "./messages.ts";
import { Stream } from "./stream.ts";
import { StreamRegistry } from "./stream-registry.ts";

const MIB = 1024 * 1024;

function watch(registry: StreamRegistry, peer: Peer, ping?: string, kind: "socket" | "response" = "response"): Stream {
  return registry.watch(new Stream(peer, registry.optionsOf(ping, kind)));
}

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
  const registry = new StreamRegistry({ clock, logger: consoleLogger });
  const sent: string[] = [];
  const closed: (number | undefined)[] = [];
  const peer = { bufferedAmount: 0, send: (text: string) => void sent.push(text), close: (code?: number) => void closed.push(code) };
  return { clock, registry, peer, sent, closed, stream: watch(registry, peer, "ping") };
}

describe("streams", () => {
  test("a stream is pinged after 30 s of silence, and not before", () => {
    const { clock, sent, stream } = open();
    clock.pass(25_000);
    stream.send("event");
    clock.pass(29_000);
    expect(sent).toEqual(["event"]);
    clock.pass(6_000);
    expect(sent).toEqual(["event", "ping"]);
  });

  test("a peer that shows no sign of life when asked, every 15 s, is closed", () => {
    const { clock, registry, peer, closed } = open();
    let asked = 0;
    const silent = {
      ...peer,
      isAlive() {
        asked += 1;
        return asked < 3;
      },
    };
    watch(registry, silent);
    clock.pass(30_000);
    expect([asked, closed]).toEqual([2, []]);
    clock.pass(15_000);
    expect([asked, closed]).toEqual([3, [1001]]);
  });

  test("an expired credential ends its stream with 4401 within 5 s", () => {
    const { clock, closed, stream } = open();
    stream.expiresAtS = clock.now() / 1_000 + 10;
    clock.pass(9_000);
    expect(closed).toEqual([]);
    clock.pass(6_000);
    expect(closed).toEqual([4401]);
  });

  test("a reader that takes nothing of more than 1 MiB is cut off after 5 s", () => {
    const { clock, closed, peer, sent, stream } = open();
    peer.bufferedAmount = MIB + 1;
    stream.send("a burst");
    clock.pass(4_000);
    expect([closed, sent]).toEqual([[], []]);
    clock.pass(2_000);
    expect([closed, sent, clock.pending]).toEqual([[1008], [], 0]);
  });

  test("a slow reader is left alone until more than 64 MiB wait for it", () => {
    const { clock, closed, peer, sent, stream } = open();
    for (let bytes = 20 * MIB; bytes > 0; bytes -= MIB) {
      peer.bufferedAmount = bytes;
      stream.send("m".repeat(2 * MIB));
      clock.pass(4_000);
    }
    expect([closed, sent]).toEqual([[], []]);
    peer.bufferedAmount = MIB / 2;
    for (let sends = 0; sends < 14; sends += 1) {
      stream.send("m".repeat(2 * MIB));
    }
    expect([closed, sent]).toEqual([[1008], []]);
  });

  test("texts reach the peer in order, as fast as its reader takes them, even many of one turn", () => {
    const { clock, closed, peer, sent, stream } = open();
    const text = (at: number) => String(at).padEnd(200_000, ".");
    const counts: number[] = [];
    peer.send = (got: string) => {
      sent.push(got);
      peer.bufferedAmount += got.length;
    };
    for (let at = 0; at < 60; at += 1) {
      stream.send(text(at));
    }
    for (; sent.length < 60; clock.pass(50)) {
      counts.push(sent.length);
      peer.bufferedAmount = 0;
    }
    expect(counts.slice(0, 3)).toEqual([2, 4, 6]);
    expect([closed, sent.map((got) => Number.parseInt(got, 10))]).toEqual([[], Array.from({ length: 60 }, (_, at) => at)]);
  });

  test("the first texts of a socket are held for 5 ms, and so is a close behind them", async () => {
    const { clock, registry, peer, sent, closed } = open();
    const [stream, other] = [watch(registry, peer, undefined, "socket"), watch(registry, peer, undefined, "socket")];
    stream.send("welcome");
    other.send("refused");
    other.close(4401, "unauthenticated");
    other.send("late");
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    clock.pass(4);
    await turn();
    expect([sent, closed]).toEqual([[], []]);
    clock.pass(1);
    await turn();
    expect([sent, closed]).toEqual([["welcome", "refused"], [4401]]);
    stream.send("at once");
    expect(sent).toEqual(["welcome", "refused", "at once"]);
  });

  test("a replay ends when its reader takes nothing for 30 s", async () => {
    const { clock, peer, closed, stream } = open();
    peer.bufferedAmount = 300 * 1024;
    let over = false;
    void stream.writable()?.then(() => {
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
    const writable = stream.writable()?.then(() => {
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

  test("closing all streams ends each once and leaves no timer", () => {
    const { clock, registry, closed, stream } = open();
    registry.closeAll();
    stream.close(1000, "again");
    stream.send("late");
    expect([closed, clock.pending]).toEqual([[1012], 0]);
  });
});
