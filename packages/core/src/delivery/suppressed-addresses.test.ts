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
  const ruling = (id: string) => suppressed.ruling({ id, tenant: "acme", channel, address: "ann@x.example" });
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
