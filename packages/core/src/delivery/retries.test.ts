import { describe, expect, test } from "vitest";
import { systemClock } from "../foundation/clock.ts";
import { BelfryError } from "../foundation/errors.ts";
import { consoleLogger } from "../foundation/logger.ts";
import { RepeatedLines } from "../foundation/repeated-lines.ts";
import { TenantShare } from "../work/fairness.ts";
import { Cancellation, retryDelayMs } from "../work/timing.ts";
import { Addresses } from "./addresses.ts";
import { attempt } from "./attempt.ts";
import type { Channel } from "./channel.ts";
import type { ClaimedDelivery } from "./delivery-storage.ts";
import { CircuitBreaker, EndpointShare } from "./endpoints.ts";

const retryDelaysMs = [5_000, 300_000];

describe("retryDelayMs", () => {
  test("follows the schedule within a fifth either way, and ends with it", () => {
    expect([0, 0.5, 1].map((random) => retryDelayMs(retryDelaysMs, { attempt: 1, random }))).toEqual([4_000, 5_000, 6_000]);
    expect(retryDelayMs(retryDelaysMs, { attempt: 2, random: 0.5 })).toBe(300_000);
    expect(retryDelayMs(retryDelaysMs, { attempt: 3, random: 0.5 })).toBeNull();
  });

  test("waits as long as the provider asks for, from the first delay to a day", () => {
    const asked = (retryAfterMs: number) => retryDelayMs(retryDelaysMs, { attempt: 1, retryAfterMs, random: 0 });
    expect([0, 60_000, 1e12].map(asked)).toEqual([5_000, 60_000, 86_400_000]);
    expect([asked(Number.NaN), asked(Number.POSITIVE_INFINITY)]).toEqual([4_000, 4_000]);
    expect(asked(7_000.4)).toBe(7_000);
  });
});

describe("attempt", () => {
  const claimed = {
    delivery: { tenant: "t", recipient: "r" },
    notification: { rendered: null },
    state: { addresses: "own" },
    meta: {},
  } as ClaimedDelivery;
  const channel = (deliver: Channel["deliver"], timeoutMs = 60_000): Channel => ({
    name: "test",
    retryDelaysMs,
    timeoutMs,
    invalidRecipient: () => null,
    deliver,
  });
  const never = new Cancellation();
  const devices = { of: async () => [], removeGone: async () => false };
  const toDevices = {
    of: () => Promise.reject(new Error("asked")),
    unreadOf: () => Promise.reject(new Error("asked")),
    deliver: () => Promise.reject(new Error("asked")),
  };

  test("an error is a failure that may pass", async () => {
    const result = await attempt(
      channel(() => Promise.reject(new Error("boom"))),
      { claimed, bundle: null, cancellation: never },
      {
        addresses: new Addresses({ directory: null, locale: "en", lines: new RepeatedLines(consoleLogger, systemClock), devices }),
        types: {},
        links: null,
        clock: systemClock,
        rulings: { on: async () => null },
        shared: { ruling: async () => null },
        suppressed: { ruling: async () => null },
        toDevices,
      },
    );
    expect(result).toMatchObject({ outcome: { status: "failed", transient: true, provider: "test", error: "boom" } });
  });

  test("a channel that ignores its time is left behind", async () => {
    const result = await attempt(
      channel(() => new Promise(() => {}), 5),
      { claimed, bundle: null, cancellation: never },
      {
        addresses: new Addresses({ directory: null, locale: "en", lines: new RepeatedLines(consoleLogger, systemClock), devices }),
        types: {},
        links: null,
        clock: systemClock,
        rulings: { on: async () => null },
        shared: { ruling: async () => null },
        suppressed: { ruling: async () => null },
        toDevices,
      },
    );
    expect(result).toMatchObject({ outcome: { status: "failed", transient: true, error: "The attempt took longer than 5 ms." } });
  });

  test("an attempt that could not begin says that its delivery became one for each device", async () => {
    const lost = new BelfryError("STORAGE_UNAVAILABLE", "The connection was lost.");
    const device = {
      userId: "r",
      platform: "fcm",
      app: null,
      name: null,
      keys: null,
      createdAt: new Date(0),
      seenAt: new Date(0),
    } as const;
    const two = ["1", "2"].map((id) => ({ ...device, id, token: id }));
    const ofTwo = { of: async () => two, removeGone: async () => false };
    const result = await attempt(
      { ...channel(() => Promise.reject(new Error("called"))), devices: ["fcm"], invalidRecipient: () => "is no device" },
      { claimed, bundle: null, cancellation: never },
      {
        addresses: new Addresses({ directory: null, locale: "en", lines: new RepeatedLines(consoleLogger, systemClock), devices: ofTwo }),
        types: {},
        links: null,
        clock: systemClock,
        rulings: { on: async () => null },
        shared: { ruling: async () => null },
        suppressed: { ruling: async () => null },
        toDevices: { ...toDevices, of: async () => two.slice(0, 1), unreadOf: () => Promise.reject(lost) },
      },
    );
    expect(result).toEqual({ unbegun: lost, isSplit: true });
  });
});

describe("CircuitBreaker", () => {
  const endpoint = { channel: "webhook", recipient: "https://dead.example" };

  test("opens after five failures in a row, for longer each time, and closes with a success", () => {
    const breaker = new CircuitBreaker();
    for (let failure = 0; failure < 4; failure += 1) {
      breaker.ended(endpoint, true, 0);
    }
    expect(breaker.open(0)).toEqual([]);
    breaker.ended(endpoint, true, 0);
    expect([breaker.open(9_999), breaker.open(10_000)]).toEqual([[endpoint], []]);
    breaker.ended(endpoint, true, 10_000);
    expect([breaker.open(29_999), breaker.open(30_000)]).toEqual([[endpoint], []]);
    breaker.ended(endpoint, false, 30_000);
    breaker.ended(endpoint, true, 30_000);
    expect(breaker.open(30_000)).toEqual([]);
  });
});

describe("EndpointShare", () => {
  test("says which endpoints have had their share", () => {
    const share = new EndpointShare(10);
    const all = Array.from({ length: 8 }, (_, index) => ({ channel: "webhook", recipient: `https://${index}.example` }));
    for (const one of all) {
      share.began(one);
    }
    expect(share.full()).toEqual(all);
    for (const one of all) {
      share.ended(one);
    }
    expect(share.full()).toEqual([]);
  });
});

describe("TenantShare", () => {
  test("is four fifths of the turns", () => {
    const share = new TenantShare(10);
    const turns = Array.from({ length: 8 }, () => "t");
    for (const tenant of turns) {
      expect(share.full()).toEqual([]);
      share.began(tenant);
    }
    expect(share.full()).toEqual(["t"]);
    share.ended("t");
    expect(share.full()).toEqual([]);
  });
});
