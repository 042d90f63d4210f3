import { expect, test } from "vitest";
import { type FleetCosts, readCosts, type Work } from "../src/costs.ts";
import { fitCosts, workOf } from "../src/fit.ts";
import { DEFAULT_LIMITS, type Need, planFor } from "../src/plan.ts";
import { planTable } from "../src/report.ts";
import { cpuOf, deliveryCostOf, workIn } from "../src/work.ts";

const nothing = workOf(() => 0);
const web: Work = { seconds: 0, processSeconds: 5_000, socketSeconds: 1, creates: 1_000, signals: 50, ownFrames: 200, otherFrames: 500 };
const database: Work = { seconds: 300, processSeconds: 1_000, socketSeconds: 0, creates: 400, signals: 20, ownFrames: 0, otherFrames: 100 };
const costs: FleetCosts = {
  machine: { node: "v24", system: "linux", processors: "2 × any", measuredAt: "2026-01-01T00:00:00.000Z" },
  load: { sockets: 100, perSecond: 10 },
  transports: {
    PostgreSQL: { web, database, redis: nothing },
    Redis: { web, database: { ...database, signals: 0 }, redis: { ...nothing, creates: 10, signals: 5 } },
  },
  delivery: { alone: { worker: 300, database: 100 }, shared: { worker: 400, database: 150 } },
  bytes: { process: 100 * 2 ** 20, socket: 8 * 2 ** 10 },
};
const need: Need = { sockets: 100_000, perDay: 86_400_000, peak: 1, online: 0.5, deliveries: 0.2 };

const plan = (transport: "PostgreSQL" | "Redis", changed: Partial<Need> = {}) =>
  planFor({ ...need, ...changed }, { costs, transport, limits: DEFAULT_LIMITS });

const cpuOfDone = (work: Work) => cpuOf(work, costs.transports.PostgreSQL).web;

test("finds costs again from what runs with a kind of work each used", () => {
  const done: readonly Work[] = [
    { ...nothing, processSeconds: 20 },
    { ...nothing, processSeconds: 30, socketSeconds: 60_000 },
    { ...nothing, processSeconds: 20, creates: 800 },
    { ...nothing, processSeconds: 20, socketSeconds: 40_000, creates: 800, ownFrames: 800 },
    { ...nothing, processSeconds: 20, socketSeconds: 20_000, signals: 800 },
    { ...nothing, processSeconds: 20, socketSeconds: 20_000, signals: 800, otherFrames: 400 },
  ];
  const fitted = fitCosts(done.map((work) => ({ work, micros: cpuOfDone(work) })));
  for (const [kind, cost] of Object.entries(web)) {
    expect(fitted[kind as keyof Work], kind).toBeCloseTo(cost, 0);
  }
});

test("gives no kind of work a cost below 0, and none to what was never done", () => {
  const idle = { ...nothing, processSeconds: 10 };
  const fitted = fitCosts([
    { work: idle, micros: 1_000 },
    { work: { ...idle, creates: 10 }, micros: 900 },
  ]);
  expect(fitted.creates).toBe(0);
  expect(fitted.signals).toBe(0);
  expect(fitted.processSeconds).toBeGreaterThan(90);
});

test("every process hears of everything over PostgreSQL, and of its share over Redis", () => {
  const fleet = { processes: 5, sockets: 1_000, perSecond: 100, online: 1, shards: 2 ** 30 };
  expect(workIn(fleet, "PostgreSQL").signals).toBe(400);
  expect(workIn(fleet, "Redis").signals).toBeCloseTo(80, 2);
  expect(workIn(fleet, "Redis").ownFrames).toBe(20);
  expect(workIn(fleet, "Redis").otherFrames).toBe(80);
});

test("a process alone hears of nobody", () => {
  const alone = { processes: 1, sockets: 10, perSecond: 100, online: 1, shards: 1 };
  expect([workIn(alone, "PostgreSQL").signals, workIn(alone, "Redis").signals]).toEqual([0, 0]);
});

test("over Redis, a process with as many sockets as there are shards hears much of what is not for it", () => {
  const fleet = { processes: 11, sockets: 110_000, perSecond: 1, online: 0, shards: 10_000 };
  expect(workIn(fleet, "Redis").signals).toBeCloseTo(10 * (1 - 1 / Math.E), 2);
});

test("a delivery costs more the more workers there are, and never more than twice what a second one adds", () => {
  const of = (workers: number) => deliveryCostOf(costs.delivery, workers).worker;
  expect([1, 2, 4, 1_000_000].map((workers) => Math.round(of(workers)))).toEqual([300, 400, 450, 500]);
});

test("a plan has the fewest web processes whose cores are not too full", () => {
  const { web: count = 0 } = plan("Redis") ?? {};
  const used = (processes: number) => {
    const fleet = { processes, sockets: need.sockets, perSecond: 1_000, online: need.online, shards: DEFAULT_LIMITS.shards };
    return cpuOf(workIn(fleet, "Redis"), costs.transports.Redis).web / processes;
  };
  expect(used(count)).toBeLessThanOrEqual(600_000);
  expect(count === 5 || used(count - 1) > 600_000).toBe(true);
});

test("workers and memory follow from deliveries and sockets", () => {
  const needed = plan("Redis");
  // 1,000 notifications a second with 0.2 deliveries each, of 300 µs.
  expect(needed?.workers).toBe(1);
  // Two workers would do at 300 µs, but with two a delivery takes 400 µs, and with three 433 µs.
  expect(plan("Redis", { deliveries: 4 })?.workers).toBe(3);
  expect(needed?.bytes).toBe(((needed?.web ?? 0) + 1) * 100 * 2 ** 20 + 100_000 * 8 * 2 ** 10);
});

test("no number of processes carries a load of which each has to hear all of it", () => {
  const large = { sockets: 1_000_000, perDay: 2e9 };
  expect(plan("PostgreSQL", large)).toBeNull();
  expect(plan("Redis", large)).not.toBeNull();
  expect(planTable([{ ...need, ...large }], costs, DEFAULT_LIMITS).join("\n")).toContain("no number is enough");
});

test("the costs that are kept are of a machine and a day, and make a plan", async () => {
  const kept = await readCosts();
  expect(kept.machine.measuredAt).toMatch(/^\d{4}-/);
  for (const transport of ["PostgreSQL", "Redis"] as const) {
    expect(planFor({ ...need, perDay: 1e6 }, { costs: kept, transport, limits: DEFAULT_LIMITS })?.databaseCores).toBeGreaterThan(0);
  }
});
