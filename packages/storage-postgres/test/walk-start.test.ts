import { expect, test } from "vitest";
import { type WalkReach, WalkStart } from "../src/database/walk-start.ts";
import { DELIVERY_LEASES } from "../src/delivery/claim.ts";

const MINUTE_MS = 60_000;
const SLACK_MS = 10_000;
/** The time of the database. */
const AT = Date.UTC(2030, 0, 1);

/** A table of times, some of which are dead: a walk passes over these, too. */
function table(times: { readonly dead: number; live: readonly number[] }) {
  let nowMs = 0;
  const begun: (string | null)[] = [];
  const start = new WalkStart("t", () => nowMs);
  const session = {
    rows: async () => [[times.dead * 250, AT]] as never,
  };
  const walk = (reach?: WalkReach) =>
    start.walk(
      { session, at: null },
      {
        ...(reach === undefined ? {} : { reach }),
        async from(since) {
          begun.push(since);
          nowMs += since === null ? times.dead : 0;
          return times.live.filter((time) => since === null || time >= Date.parse(since));
        },
        timeOf: (time) => time,
      },
    );
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { begun, start, walk, pass };
}

const iso = (ms: number) => new Date(ms).toISOString();

test.each([5, 40])("where little is dead, every walk goes all the way, also if it takes %i ms", async (dead) => {
  const { begun, start, walk } = table({ dead, live: [AT - 1] });
  await walk();
  await walk();
  expect([begun, start.restMs]).toEqual([[null, null], 0]);
});

test("after a long walk, others begin ten seconds before what was there, for twenty times as long", async () => {
  const { begun, start, walk, pass } = table({ dead: 100, live: [AT - 1] });
  await walk();
  expect(await walk()).toEqual([AT - 1]);
  expect(start.restMs).toBe(2_000);
  pass(1_999);
  await walk();
  pass(1);
  await walk();
  expect(begun).toEqual([null, iso(AT - SLACK_MS), iso(AT - SLACK_MS), null]);
});

test("what has waited for longer than that is where they begin", async () => {
  const { begun, walk } = table({ dead: 100, live: [AT - 10 * MINUTE_MS, AT] });
  await walk();
  await walk();
  expect(begun).toEqual([null, iso(AT - 10 * MINUTE_MS)]);
});

test("what comes with an older time is found by the next walk that goes all the way, within seconds", async () => {
  const times = { dead: 10_000, live: [AT] };
  const { start, walk, pass } = table(times);
  await walk();
  times.live = [AT - 2 * MINUTE_MS, AT];
  expect(await walk()).toEqual([AT]);
  pass(start.restMs);
  expect(await walk()).toEqual([AT - 2 * MINUTE_MS, AT]);
});

const request = { at: new Date(AT), limit: 10, perEndpoint: 5, exceptTenants: [], channels: ["inbox", "email"], exceptEndpoints: [] };
const endpoint = { channel: "email", recipient: "ann" };

test.each([
  ["busy tenants", { exceptTenants: ["acme"] }],
  ["busy endpoints", { exceptEndpoints: [endpoint] }],
])("a claim that leaves out %s says nothing of where others begin, and begins where they do", async (_, without) => {
  const { begun, start, walk } = table({ dead: 100, live: [AT] });
  const reachOf = (more: object) => DELIVERY_LEASES.walk?.reachOf({ ...request, ...more });
  await walk(reachOf(without));
  expect(start.restMs).toBe(0);
  await walk(reachOf({}));
  await walk(reachOf(without));
  await walk(reachOf({ channels: ["inbox"] }));
  await walk(reachOf({ channels: ["email", "inbox"] }));
  expect(begun).toEqual([null, null, iso(AT - SLACK_MS), null, iso(AT - SLACK_MS)]);
});
