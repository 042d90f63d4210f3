import { expect, test } from "vitest";
import type { Clock } from "../foundation/clock.ts";
import { nextTurn } from "../work/timing.ts";
import type { Channel } from "./channel.ts";
import { SuppressedAddresses } from "./suppressed-addresses.ts";

/** Suppressed addresses of a tenant that has one, or none; `fails` has the next looks fail. */
function addresses({ some = [] as readonly string[] } = {}) {
  const state = { asked: 0, fails: false, nowMs: 0 };
  const suppressions = {
    async tenantsWithSome() {
      state.asked += 1;
      if (state.fails) {
        throw new Error("The connection was lost.");
      }
      return some;
    },
    of: async () => [
      { channel: "email", address: "ann@x.example", reason: "manual", actor: "", detail: null, createdAt: new Date(0) } as const,
    ],
  };
  const clock = { now: () => state.nowMs } as Clock;
  const channel = { name: "email" } as Channel;
  const suppressed = new SuppressedAddresses({ suppressions, clock });
  const ruling = (id: string, claimed: { readonly hasSuppressed?: boolean } = {}) =>
    suppressed.ruling({ id, tenant: "acme", channel, address: "ann@x.example", ...claimed });
  return { state, suppressed, ruling };
}

const delivery = (id: string) => ({ id, tenant: "acme", channel: "email" });

test("what was asked before a delivery was written is not asked again for its attempt", async () => {
  const { state, suppressed, ruling } = addresses();
  suppressed.askAhead(delivery("1"));
  suppressed.askAhead(delivery("2"));
  await nextTurn();
  expect([await ruling("1"), await ruling("2"), state.asked]).toEqual([null, null, 1]);
  suppressed.forget(delivery("1"));
  expect([await ruling("1"), await ruling("3"), state.asked]).toEqual([null, null, 3]);
});

test("what was asked ahead stands against the attempt, too", async () => {
  const { suppressed, ruling } = addresses({ some: ["acme"] });
  suppressed.askAhead(delivery("1"));
  expect(await ruling("1")).toMatchObject({ outcome: "skip", reason: "suppressed" });
});

test("what a claim saw of the tenant is not asked again, for a second", async () => {
  const { state, suppressed, ruling } = addresses();
  const hasSuppressed = false;
  suppressed.claimed("acme", { hasSuppressed, askedMs: 0 });
  state.nowMs = 999;
  expect([ruling("1", { hasSuppressed }), state.asked]).toEqual([null, 0]);
  // One that was not claimed may have been written after the claim.
  expect([await ruling("2"), state.asked]).toEqual([null, 1]);
  state.nowMs = 1_000;
  expect([await ruling("1", { hasSuppressed }), state.asked]).toEqual([null, 2]);
  suppressed.claimed("acme", { hasSuppressed, askedMs: 1_000 });
  expect(ruling("3", { hasSuppressed })).toBeNull();
});

test("where a claim saw that the tenant has some, each address is looked for, also for what was claimed before", async () => {
  const { state, suppressed, ruling } = addresses();
  suppressed.claimed("acme", { hasSuppressed: false, askedMs: 0 });
  suppressed.claimed("acme", { hasSuppressed: true, askedMs: 0 });
  const skipped = { outcome: "skip", reason: "suppressed" };
  expect(await Promise.all([ruling("1", { hasSuppressed: false }), ruling("2", { hasSuppressed: true })])).toMatchObject([
    skipped,
    skipped,
  ]);
  expect(state.asked).toBe(0);
});

test("an answer from before a write that took long counts no more, and a failed look is repeated", async () => {
  const { state, suppressed, ruling } = addresses();
  suppressed.askAhead(delivery("1"));
  await nextTurn();
  state.nowMs = 1_000;
  expect([await ruling("1"), state.asked]).toEqual([null, 2]);
  state.fails = true;
  suppressed.askAhead(delivery("2"));
  await nextTurn();
  state.fails = false;
  expect([await ruling("2"), state.asked]).toEqual([null, 4]);
});
