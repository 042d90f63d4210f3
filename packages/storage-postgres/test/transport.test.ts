import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { InboxSignal, Signal, TransportListener } from "@belfry/core/storage";
import { transportSuite } from "@belfry/testkit";
import { describe, expect, test } from "vitest";
import { type PostgresTransportOptions, postgresTransport } from "../src/index.ts";
import { openPool, rowsOf, silent, useCleanup, useDatabase } from "./setup.ts";

const WAIT = { timeout: 30_000, interval: 20 };

/** Has the server end every listening connection. */
async function endListening(url: string): Promise<void> {
  const pool = openPool(url);
  try {
    await rowsOf(
      pool,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'belfry-listen' AND datname = current_database()",
    );
  } finally {
    await pool.end();
  }
}

describe("LISTEN/NOTIFY", () => {
  const database = useDatabase();
  transportSuite("postgres", {
    crossesProcesses: true,
    create: async () => postgresTransport(database.url, { logger: silent }),
    interrupt: () => endListening(database.url),
  });
});

describe("a listening connection", () => {
  const cleanup = useCleanup();
  const database = useDatabase();

  function ear() {
    const heard: InboxSignal[] = [];
    let gaps = 0;
    const listener: TransportListener = {
      onSignals: (signals) => heard.push(...signals.filter((signal) => "seq" in signal)),
      onGap: () => {
        gaps += 1;
      },
    };
    return { listener, heard, gaps: () => gaps };
  }

  async function started(url: string, options: PostgresTransportOptions = {}) {
    const transport = postgresTransport(url, { logger: silent, ...options });
    const { listener, ...rest } = ear();
    await transport.start(listener);
    await transport.follow?.("every inbox");
    cleanup(() => transport.stop());
    return { transport, ...rest };
  }

  const signal = (seq: number): InboxSignal => ({ tenant: "t", userId: "u", change: "created", seq, epoch: "e" });

  test("whose peer vanished without a word is noticed and rebuilt", async () => {
    const url = new URL(database.url);
    const pairs: [Socket, Socket][] = [];
    let isHalfOpen = false;
    const proxy = createServer((socket) => {
      const upstream = connect(Number(url.port), url.hostname);
      pairs.push([socket, upstream]);
      for (const [from, to] of [
        [socket, upstream],
        [upstream, socket],
      ] as const) {
        from.on("data", (chunk) => void (isHalfOpen && pairs[0]?.includes(socket) ? null : to.write(chunk)));
        from.on("error", () => to.destroy());
        from.on("close", () => to.destroy());
      }
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    cleanup(() => {
      for (const sockets of pairs) {
        sockets[0].destroy();
      }
      proxy.close();
    });
    const proxied = new URL(database.url);
    proxied.port = String((proxy.address() as AddressInfo).port);
    proxied.hostname = "127.0.0.1";
    const [sender, receiver] = [await started(database.url), await started(proxied.href, { heartbeatMs: 100 })];
    isHalfOpen = true;
    await expect.poll(receiver.gaps, WAIT).toBe(1);
    sender.transport.publish([signal(2)]);
    await expect.poll(() => receiver.heard.map(({ seq }) => seq), WAIT).toEqual([2]);
  });

  test("hears of feeds while one is followed in its process, and always of what concerns all", async () => {
    const sender = await started(database.url);
    const transport = postgresTransport(database.url, { logger: silent, heartbeatMs: 20 });
    const heard: Signal[] = [];
    await transport.start({ onSignals: (signals) => heard.push(...signals), onGap: () => {} });
    cleanup(() => transport.stop());
    let seq = 0;
    /** Whether the process heard of an inbox, once it has heard what was sent after that. */
    const hears = async () => {
      heard.length = 0;
      seq += 1;
      sender.transport.publish([signal(seq)]);
      sender.transport.publish([{ topic: "inboxes" }]);
      await expect.poll(() => heard, WAIT).toContainEqual({ topic: "inboxes" });
      return heard.some((one) => "seq" in one && one.seq === seq);
    };
    expect(await hears()).toBe(false);
    for (let round = 0; round < 2; round += 1) {
      await Promise.all([transport.follow?.("one"), transport.follow?.("another")]);
      transport.unfollow?.("one");
      expect(await hears()).toBe(true);
      transport.unfollow?.("another");
      await expect.poll(hears, WAIT).toBe(false);
    }
  });

  test("a burst arrives whole, in fewer messages, none longer than PostgreSQL takes", async () => {
    const [sender, receiver] = [await started(database.url), await started(database.url)];
    const burst = Array.from({ length: 5_000 }, (_, index) => ({ ...signal(index + 1), userId: `user ${"x".repeat(200)} ${index % 7}` }));
    for (const one of burst) {
      sender.transport.publish([one]);
    }
    // A payload that is too large is sent as a gap, and the receiver reads the database.
    await expect.poll(() => receiver.heard.length === burst.length || receiver.gaps() > 0, WAIT).toBe(true);
    expect(receiver.heard.map(({ seq }) => seq)).toEqual(burst.slice(0, receiver.heard.length).map(({ seq }) => seq));
  });
});
