import { type Alarm, type Channel, type DeliveryTask, NotificationService } from "@belfry/core";
import { testClock } from "@belfry/testkit/host";
import Database from "better-sqlite3";
import type { PoolClient } from "pg";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const MINUTE_MS = 60_000;

onEveryStorage((database) => {
  /** Services over one database, a channel that fails as long as it is told to, and one for alarms that may be away. */
  function setUp({ retryDelaysMs = [] as readonly number[], minAttempts = 4, timeoutMs = 5_000 } = {}) {
    const state = { isBroken: true, isPagerAway: false, answers: Promise.resolve() };
    const called = vi.fn<() => void>();
    const told: DeliveryTask[] = [];
    const call: Channel = {
      name: "call",
      retryDelaysMs,
      timeoutMs,
      invalidRecipient: () => null,
      async deliver() {
        called();
        await state.answers;
        return state.isBroken
          ? { status: "failed", transient: retryDelaysMs.length > 0, error: "no line", provider: "test" }
          : { status: "sent", provider: "test" };
      },
    };
    const pager: Channel = {
      ...call,
      name: "pager",
      invalidRecipient: (recipient) => (recipient === "ops" ? null : "is no pager"),
      async deliver(task) {
        if (state.isPagerAway) {
          return { status: "failed", transient: true, error: "away", provider: "test" };
        }
        told.push(task);
        return { status: "sent", provider: "test" };
      },
    };
    const clock = testClock(new Date());
    const open = (worker = true) =>
      stopsAfterTest(
        new NotificationService({
          ...{ storage: database.storage(), channels: [call, pager], clock, logger: silent, delivery: { worker } },
          alarms: { to: { pager: "ops" }, minAttempts, lagMs: null },
        }),
      );
    const calls = async (service: NotificationService, count: number) => {
      for (let at = 0; at < count; at += 1) {
        await service.create({ to: { call: `p${at}` }, title: "Hello" });
      }
      await service.runDue();
    };
    /** What was told of attempts that fail. */
    const titles = () => told.filter(({ data }) => data.alarm === "failure_rate").map(({ title }) => title);
    return { state, told, titles, clock, open, calls, called };
  }

  /** What a statement reads. */
  async function rowsOf(text: string): Promise<readonly unknown[]> {
    const found: unknown[] = [];
    await database.transaction((tx) => {
      if (tx instanceof Database) {
        found.push(...tx.prepare(text).all());
        return;
      }
      return (tx as PoolClient).query(text).then(({ rows }) => void found.push(...rows));
    });
    return found;
  }

  test("a failure rate above its line is told once over all processes, and its end too", async () => {
    const { state, told, clock, open, calls } = setUp();
    const [one, other] = [open(), open()];
    const heard: Alarm[] = [];
    one.on("alarm.raised", (alarm) => void heard.push(alarm));
    other.on("alarm.raised", (alarm) => void heard.push(alarm));
    await calls(one, 4);
    await clock.pass(MINUTE_MS);
    await Promise.all([one.runDue(), other.runDue()]);
    await clock.pass(MINUTE_MS);
    await Promise.all([one.runDue(), other.runDue()]);
    expect(told.map(({ title, data, priority }) => [title, data.state, priority])).toEqual([
      ["call: 100 % of attempts fail", "raised", "urgent"],
    ]);
    expect(heard).toMatchObject([{ kind: "failure_rate", channel: "call", value: 1, line: 0.5, endedAt: null }]);
    expect(await one.operator.alarms()).toMatchObject([{ kind: "failure_rate", channel: "call", state: "raised" }]);
    expect(await one.tenant("acme").operator.alarms()).toEqual([]);

    state.isBroken = false;
    await calls(one, 16);
    await clock.pass(MINUTE_MS);
    await Promise.all([one.runDue(), other.runDue()]);
    expect(told.slice(1).map(({ title, data }) => [title, data.state])).toEqual([["call: attempts go well again, 20 % fail", "ended"]]);
    expect(await one.operator.alarms()).toEqual([]);
    expect(new Set(told.map(({ id }) => id)).size).toBe(2);
  });

  test("a delivery that nobody makes is told of, by a process that makes none, and the message is tried again", async () => {
    const { state, told, clock, open } = setUp();
    const service = open(false);
    await service.create({ to: { call: "ann" }, title: "Hello" });
    await service.runDue();
    state.isPagerAway = true;
    await clock.pass(6 * MINUTE_MS);
    await service.runDue();
    expect(told).toEqual([]);
    state.isPagerAway = false;
    await clock.pass(2 * MINUTE_MS);
    await service.runDue();
    expect(told).toMatchObject([{ title: "call: a delivery has been due for 6 min", data: { alarm: "oldest_due", line: 300_000 } }]);
    await service.operator.alarms();
  });

  test("few attempts raise nothing, and a value around its line raises one alarm", async () => {
    const { state, told, clock, open, calls } = setUp();
    const service = open();
    await calls(service, 2);
    await clock.pass(MINUTE_MS);
    await service.runDue();
    expect(told).toEqual([]);
    await calls(service, 4);
    state.isBroken = false;
    await calls(service, 5);
    await clock.pass(MINUTE_MS);
    await service.runDue();
    await calls(service, 2);
    await clock.pass(MINUTE_MS);
    await service.runDue();
    // 46 % is below the line, and above 80 % of it.
    expect(told.map(({ data }) => data.state)).toEqual(["raised"]);
  });

  test("a channel over which everything fails raises one with three attempts, which lasts while retries wait", async () => {
    const { state, titles, clock, open, calls } = setUp({ retryDelaysMs: [60 * MINUTE_MS], minAttempts: 20 });
    const service = open();
    await calls(service, 3);
    await clock.pass(MINUTE_MS);
    await service.runDue();
    expect(titles()).toEqual(["call: 100 % of attempts fail"]);
    // Nothing is attempted for longer than attempts count.
    await clock.pass(20 * MINUTE_MS);
    await service.runDue();
    expect(titles()).toHaveLength(1);
    state.isBroken = false;
    await clock.pass(60 * MINUTE_MS);
    await service.runDue();
    await clock.pass(MINUTE_MS);
    await service.runDue();
    expect(titles().slice(1)).toEqual(["call: attempts go well again, 0 % fail"]);
  });

  test("an alarm lasts while nothing but attempts that are under way is left of what failed", async () => {
    const { state, titles, clock, open, calls, called } = setUp({ retryDelaysMs: [60 * MINUTE_MS], timeoutMs: 120 * MINUTE_MS });
    const service = open();
    await calls(service, 4);
    await clock.pass(MINUTE_MS);
    await service.runDue();
    expect(titles()).toEqual(["call: 100 % of attempts fail"]);
    const gate = Promise.withResolvers<void>();
    Object.assign(state, { isBroken: false, answers: gate.promise });
    // The delay is up to a fifth longer, and differs.
    await clock.pass(72 * MINUTE_MS);
    await vi.waitFor(async () => {
      await clock.pass(1_000);
      expect(called).toHaveBeenCalledTimes(8);
    });
    const watcher = open(false);
    await clock.pass(MINUTE_MS);
    await watcher.runDue();
    const raised = await watcher.operator.alarms();
    expect(raised.filter(({ kind }) => kind === "failure_rate")).toMatchObject([{ channel: "call" }]);
    gate.resolve();
    await service.runDue();
    await clock.pass(MINUTE_MS);
    await service.runDue();
    expect(titles().slice(1)).toEqual(["call: attempts go well again, 0 % fail"]);
  });

  test("three recipients that are gone raise none, nor does one that is tried often", async () => {
    const { told, clock, open, calls } = setUp({ minAttempts: 20 });
    const service = open();
    await calls(service, 3);
    await clock.pass(MINUTE_MS);
    await service.runDue();
    expect(told).toEqual([]);

    const dead = setUp({ retryDelaysMs: [1_000, 1_000, 1_000, 60 * MINUTE_MS], minAttempts: 20 });
    const other = dead.open();
    await dead.calls(other, 1);
    for (let times = 0; times < 3; times += 1) {
      await dead.clock.pass(2_000);
      await other.runDue();
    }
    expect(await other.operator.health("1h")).toMatchObject([{ channel: "call", succeeded: 0, failed: 7 }]);
    await dead.clock.pass(MINUTE_MS);
    await other.runDue();
    expect(dead.told).toEqual([]);
  });

  test("an alarm that ends since nothing is attempted any more says so", async () => {
    const { told, clock, open, calls } = setUp();
    const service = open();
    const heard: Alarm[] = [];
    service.on("alarm.ended", (alarm) => void heard.push(alarm));
    await calls(service, 4);
    await clock.pass(MINUTE_MS);
    await service.runDue();
    await clock.pass(20 * MINUTE_MS);
    await service.runDue();
    expect(told.map(({ title }) => title)).toEqual(["call: 100 % of attempts fail", "call: nothing is attempted any more"]);
    expect(told[1]?.data).toMatchObject({ state: "ended", value: 0 });
    expect(heard).toMatchObject([{ state: "ended", value: 0 }]);
  });

  test("attempts that were lost with their process raise none", async () => {
    const { told, clock, open, calls, state } = setUp({ retryDelaysMs: [MINUTE_MS] });
    state.isBroken = false;
    const storage = database.storage();
    await storage.open();
    const leaving = open(false);
    await calls(leaving, 6);
    const dead = { owner: "dead", at: new Date(clock.now()), leaseMs: MINUTE_MS, limit: 6, exceptTenants: [] };
    const fairness = { perEndpoint: 6, channels: ["call"], exceptEndpoints: [] };
    expect(await storage.deliveries.leases.claim({ ...dead, ...fairness })).toHaveLength(6);
    await clock.pass(2 * MINUTE_MS);
    const service = open();
    await service.runDue();
    state.isBroken = true;
    await calls(service, 2);
    await clock.pass(MINUTE_MS / 2);
    await service.runDue();
    expect(await service.operator.health("1h")).toMatchObject([{ channel: "call", succeeded: 6, failed: 8, lost: 6 }]);
    expect(told).toEqual([]);
    // Older versions count each step but -1 as a success.
    const steps = await rowsOf(
      "SELECT CAST(latency_ms AS integer) AS step, CAST(sum(attempts) AS integer) AS attempts FROM belfry_attempt_sums WHERE latency_ms < 0 GROUP BY 1",
    );
    expect(steps).toEqual([{ step: -1, attempts: 8 }]);
    await storage.close();
  });
});

describe("options of alarms", () => {
  const pager: Channel = {
    name: "pager",
    retryDelaysMs: [],
    timeoutMs: 1_000,
    invalidRecipient: (recipient) => (recipient === "ops" ? null : "is no pager"),
    deliver: async () => ({ status: "sent", provider: "test" }),
  };

  test.each([
    [{}, "takes as to an address"],
    [{ to: [] }, "1 to 10 addresses"],
    [{ to: { mail: "ops" } }, "the channel"],
    [{ to: { pager: "home" } }, "that is no pager"],
    [{ to: { pager: "ops" }, failureRate: 2 }, "failureRate"],
    [{ to: { pager: "ops" }, oldestDueMs: 0 }, "oldestDueMs"],
    [{ to: { pager: "ops" }, windowMs: 1_000 }, "windowMs"],
    [{ to: { pager: "ops" }, tenants: [""] }, "tenants"],
    [{ to: { pager: "ops" }, oldestDue: 1 }, "alarms takes"],
  ])("%j is refused in words", (alarms, message) => {
    const storage = { name: "none", version: 1, open: async () => undefined, close: async () => undefined };
    const make = () => new NotificationService({ storage, channels: [pager], alarms } as never);
    expect(make).toThrow(expect.objectContaining({ code: "CONFIGURATION", message: expect.stringContaining(message) }));
  });
});
