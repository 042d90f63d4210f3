import { expect, test } from "vitest";
import { systemClock } from "../foundation/clock.ts";
import { RepeatedLines } from "../foundation/repeated-lines.ts";
import type { OpenCircuit } from "./delivery-state.ts";
import { EndpointWatch } from "./endpoint-watch.ts";
import { RestsElsewhere } from "./rests-elsewhere.ts";

const SECOND_MS = 1_000;

/** A process, and what the storage has of endpoints that rest. */
function process() {
  let told = 0;
  let failure: Error | null = null;
  const stored: OpenCircuit[] = [];
  const rests = new RestsElsewhere(() => {
    told += 1;
    // A process hears itself.
    rests.areNews = true;
  });
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const watch = new EndpointWatch({
    rests,
    channels: new Map(),
    clock: systemClock,
    lines: new RepeatedLines(silent, systemClock),
    holds: {
      openCircuit: async (circuit) => void stored.push(circuit),
      closeCircuit: async () => {},
      circuitsOf: async (endpoints) => stored.filter(({ recipient }) => endpoints.some((one) => one.recipient === recipient)),
      async restingAt(at) {
        if (failure !== null) {
          throw failure;
        }
        return stored.filter(({ openUntil }) => openUntil > at);
      },
      pruneCircuits: async () => {},
    },
  });
  const fail = (error: Error | null) => {
    failure = error;
  };
  return { watch, rests, stored, told: () => told, fail };
}

const endpoint = { channel: "webhook", recipient: "https://example.com" };

test("an endpoint that began to rest in another process rests in this one, until that ends", async () => {
  const { watch, rests, stored } = process();
  const now = Date.now();
  stored.push({ ...endpoint, failures: 5, openedAt: new Date(now - SECOND_MS), openUntil: new Date(now + 60 * SECOND_MS) });
  await watch.learn();
  expect(watch.isResting(endpoint)).toBe(false);
  rests.areNews = true;
  await watch.learn();
  expect([watch.isResting(endpoint), watch.resting(), rests.areNews]).toEqual([true, [endpoint], false]);
  await watch.rouse();
  expect(watch.isResting(endpoint)).toBe(true);
  stored.length = 0;
  await watch.rouse();
  expect(watch.isResting(endpoint)).toBe(false);
});

test("what could not be learned is looked for again", async () => {
  const { watch, rests, stored, fail } = process();
  const now = Date.now();
  stored.push({ ...endpoint, failures: 5, openedAt: new Date(now - SECOND_MS), openUntil: new Date(now + 60 * SECOND_MS) });
  rests.areNews = true;
  fail(new Error("The database is away."));
  await expect(watch.learn()).rejects.toThrow("The database is away.");
  fail(null);
  await watch.learn();
  expect([watch.isResting(endpoint), rests.areNews]).toEqual([true, false]);
});

test("a process tells the others of its own, and does not look for them itself", async () => {
  const { watch, rests, stored, told } = process();
  const failed = { status: "failed", transient: true, error: "busy", provider: "x" } as const;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await watch.ended({ ...endpoint, recipientKind: "address" }, failed, Date.now());
  }
  expect([stored.length, told(), rests.areNews, watch.isResting(endpoint)]).toEqual([1, 1, false, true]);
});
