import { type Channel, type DeliveryOutcome, NotificationService, type RetryRun } from "@belfry/core";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const HOUR_MS = 3_600_000;

onEveryStorage((database) => {
  /** A service over a call that fails for a while, and is tried again an hour later, or fails for good; its clock stands where it is put. */
  function setUp() {
    const state = { works: false, nowMs: Date.now(), timers: [] as { readonly delayMs: number; readonly run: () => void }[] };
    const call: Channel = {
      name: "call",
      retryDelaysMs: [HOUR_MS, HOUR_MS],
      timeoutMs: 5_000,
      invalidRecipient: () => null,
      async deliver({ recipient }): Promise<DeliveryOutcome> {
        return state.works
          ? { status: "sent", provider: "test" }
          : { status: "failed", transient: !recipient.startsWith("gone"), error: "no line", provider: "test" };
      },
    };
    // Timers run where a test runs them.
    const after = (delayMs: number, run: () => void) => {
      const timer = { delayMs, run };
      state.timers.push(timer);
      return () => {
        state.timers = state.timers.filter((other) => other !== timer);
      };
    };
    const clock = { now: () => state.nowMs, after };
    const open = () => {
      const storage = database.storage();
      return { storage, service: stopsAfterTest(new NotificationService({ storage, channels: [call], clock, logger: silent })) };
    };
    return { ...open(), open, state };
  }

  async function failing(service: NotificationService, names: readonly string[]): Promise<readonly string[]> {
    const ids: string[] = [];
    for (const name of names) {
      const { notification } = await service.create({ to: { call: name }, title: "Hello" });
      ids.push(notification.id);
    }
    await service.runDue();
    return ids;
  }

  const statuses = (service: NotificationService, ids: readonly string[]) =>
    Promise.all(ids.map(async (id) => (await service.get(id)).status));

  describe("a retry of one send", () => {
    test("tries now what waits for another attempt, whatever its endpoint rests, and what failed, on a fresh schedule", async () => {
      const { service, state } = setUp();
      const calls = await failing(service, ["+1", "+1", "+1", "+1", "+1"]);
      const [held = ""] = await failing(service, ["+1"]);
      const [gone = ""] = await failing(service, ["gone"]);
      const standing = async (id: string) => (await service.timeline(id)).summary.standing;
      expect(await standing(calls[0] ?? "")).toMatchObject({ state: "retrying", heldBy: null });
      expect(await standing(held)).toMatchObject({ state: "held", heldBy: "endpoint", failures: 5 });
      expect((await service.timeline(gone)).summary).toMatchObject({ standing: null, status: "failed", lastError: "no line" });
      state.works = true;
      // As ever, what a contract and a host call a retry is for what failed.
      await expect(service.retry(calls[0] ?? "")).rejects.toMatchObject({ code: "INVALID_STATE" });
      for (const id of [calls[0] ?? "", gone]) {
        await service.operator.retry(id, { actor: "eve" });
      }
      await service.runDue();
      expect(await statuses(service, [calls[0] ?? "", gone, held])).toEqual(["sent", "sent", "sent"]);
      expect((await service.timeline(gone)).audit.map(({ action, actor }) => [action, actor])).toContainEqual(["retried", "eve"]);
      await expect(service.operator.retry(gone)).rejects.toMatchObject({ code: "INVALID_STATE" });
      await expect(service.operator.retry("no id")).rejects.toMatchObject({ code: "NOT_FOUND" });
      await expect(service.tenant("acme").operator.retry(calls[1] ?? "")).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    test("may be about one delivery alone", async () => {
      const { service, state } = setUp();
      const { notification } = await service.create({ to: ["+1", "+2"], channels: ["call"], title: "Hello", message: "x" });
      await service.runDue();
      state.works = true;
      const { deliveries } = await service.deliveries(notification.id);
      await service.operator.retry(notification.id, { deliveryId: deliveries[1]?.id ?? "" });
      await service.runDue();
      const after = await service.deliveries(notification.id);
      expect(after.deliveries.map(({ status }) => status)).toEqual(["pending", "sent"]);
      const strange = (await failing(service, ["+3"]))[0] ?? "";
      const other = { deliveryId: deliveries[0]?.id ?? "" };
      await expect(service.operator.retry(strange, other)).rejects.toMatchObject({ code: "INVALID_STATE" });
    });

    test("also ends the rest of an endpoint at which it failed, whatever the case of its ids", async () => {
      const { service, storage, state } = setUp();
      const { notification } = await service.create({ to: ["gone", "+1"], channels: ["call"], title: "Hello" });
      await service.runDue();
      // Others of the endpoint failed since.
      const { holds } = storage;
      const times = { openedAt: new Date(state.nowMs), openUntil: new Date(state.nowMs + HOUR_MS) };
      await holds.openCircuit({ channel: "call", recipient: "gone", failures: 5, ...times });
      const [gone] = (await service.deliveries(notification.id)).deliveries;
      expect(gone).toMatchObject({ recipient: "gone", status: "failed" });
      state.works = true;
      await service.operator.retry(notification.id.toUpperCase(), { deliveryId: gone?.id.toUpperCase() ?? "", actor: "eve" });
      expect(await holds.circuitsOf([{ channel: "call", recipient: "gone" }])).toEqual([]);
      await service.runDue();
      expect((await service.deliveries(notification.id)).deliveries.map(({ status }) => status)).toEqual(["sent", "pending"]);
      const { audit } = await service.timeline(notification.id);
      expect(audit.at(-1)).toMatchObject({ action: "retried", actor: "eve", notificationId: notification.id });
    });
  });

  describe("a retry run", () => {
    test("goes on when the user who asked for it was deleted", async () => {
      const { service, storage, state } = setUp();
      const ids = await failing(service, ["gone 1", "gone 2"]);
      state.works = true;
      vi.spyOn(storage.retryRuns, "take").mockImplementationOnce(async () => null);
      const { id } = await service.operator.retries.start({ channel: "call" }, { actor: "eve" });
      await storage.retryRuns.erase({ tenant: service.defaultTenant.tenantId, userId: "eve" });
      await service.runDue();
      expect(await service.operator.retries.get(id)).toMatchObject({ actor: "", state: "finished" });
      expect(await statuses(service, ids)).toEqual(["sent", "sent"]);
    });

    test("stays with its process during a send that takes longer than a lease", async () => {
      const { service, storage, state, open } = setUp();
      await failing(service, ["gone"]);
      const other = open();
      await other.service.operator.retries.list();
      const findSend = storage.deliveries.findSend.bind(storage.deliveries);
      const taken: unknown[] = [];
      vi.spyOn(storage.deliveries, "findSend").mockImplementationOnce(async (tenant, id) => {
        for (let passed = 0; passed < 4; passed += 1) {
          state.nowMs += 10_000;
          const due = state.timers.filter(({ delayMs }) => delayMs === 10_000);
          state.timers = state.timers.filter(({ delayMs }) => delayMs !== 10_000);
          for (const { run } of due) {
            run();
          }
          await vi.waitFor(async () => {
            expect(await other.storage.retryRuns.nextDueInMs(new Date(state.nowMs))).toBe(30_000);
          });
        }
        taken.push(await other.storage.retryRuns.take(new Date(state.nowMs), 30_000));
        return await findSend(tenant, id);
      });
      const { id } = await service.operator.retries.start({ channel: "call" });
      await service.runDue();
      expect(taken).toEqual([null]);
      expect(await service.operator.retries.get(id)).toMatchObject({ state: "finished", looked: 1, retried: 1 });
    });

    test("is refused while too many have not ended", async () => {
      const { service, storage } = setUp();
      vi.spyOn(storage.retryRuns, "add").mockImplementationOnce((tenant, run, { line }) =>
        storage.retryRuns.add(tenant, run, { most: 0, line }),
      );
      await expect(service.operator.retries.start()).rejects.toMatchObject({ code: "INVALID_STATE" });
      expect(await service.operator.retries.list()).toEqual([]);
    });

    test("tries again all that match and failed or wait for another attempt, and leaves alone who was not connected", async () => {
      const { service, state } = setUp();
      const [mine, others] = [await failing(service, ["+1", "gone 1", "+2"]), await failing(service, ["+3"])];
      const offline = await service.defaultTenant.trackFromContract({ to: "ann", channels: ["inbox"], title: "Hello" });
      await service.runDue();
      const from = new Date(state.nowMs - HOUR_MS);
      expect(await service.operator.countRetryable({ recipient: "+1" })).toBe(1);
      state.works = true;
      const run = await service.operator.retries.start({ channel: "call", from }, { actor: "eve" });
      expect(run).toMatchObject({ state: "running", actor: "eve", filter: { channel: "call", from }, looked: 0, retried: 0 });
      await service.runDue();
      const ended = await service.operator.retries.get(run.id);
      expect(ended).toMatchObject({ state: "finished", matched: run.matched, retried: run.matched, endedAt: new Date(state.nowMs) });
      expect(await statuses(service, [...mine, ...others])).toEqual(["sent", "sent", "sent", "sent"]);
      expect(await service.operator.retries.list()).toEqual([ended]);
      expect((await service.timeline(offline.id)).deliveries.find(({ channel }) => channel === "inbox")?.attempts).toHaveLength(1);
      expect(await service.operator.countRetryable()).toBe(0);
      await expect(service.tenant("acme").operator.retries.get(run.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    test("is paused and resumed, and ends when it is cancelled", async () => {
      const { service, storage, state } = setUp();
      const ids = await failing(
        service,
        Array.from({ length: 6 }, (_, index) => `gone ${index}`),
      );
      state.works = true;
      const advance = storage.retryRuns.advance.bind(storage.retryRuns);
      const { retries } = service.operator;
      let run: RetryRun | undefined;
      const moves = [() => retries.pause(run?.id ?? ""), () => retries.cancel(run?.id ?? "")];
      let done = 0;
      vi.spyOn(storage.retryRuns, "advance").mockImplementation(async (of, progress) => {
        const has = await advance(of, progress);
        done += has && progress.after !== null ? 1 : 0;
        if (has && progress.after !== null && done % 2 === 0) {
          await moves.shift()?.();
        }
        return has;
      });
      // It waits for the run to be known.
      vi.spyOn(storage.retryRuns, "take").mockImplementationOnce(async () => null);
      run = await retries.start({ channel: "call" });
      await service.runDue();
      expect(await retries.get(run.id)).toMatchObject({ state: "paused", matched: 6, looked: 2, retried: 2 });
      await service.runDue();
      expect(await retries.get(run.id)).toMatchObject({ state: "paused", looked: 2 });
      await expect(retries.pause(run.id)).rejects.toMatchObject({ code: "INVALID_STATE" });
      await retries.resume(run.id);
      await service.runDue();
      expect(await retries.get(run.id)).toMatchObject({ state: "cancelled", looked: 4, retried: 4 });
      // The one that was under way when it was paused, or ended, was retried, too.
      expect((await statuses(service, ids)).filter((status) => status === "sent").length).toBeGreaterThanOrEqual(4);
      await expect(retries.resume(run.id)).rejects.toMatchObject({ code: "INVALID_STATE" });
      await expect(retries.cancel(run.id)).rejects.toMatchObject({ code: "INVALID_STATE" });
    });

    test("goes on in another process where one ended in the middle, whether it stopped or died", async () => {
      const { service, storage, state, open } = setUp();
      const ids = await failing(
        service,
        Array.from({ length: 12 }, (_, index) => `gone ${index}`),
      );
      state.works = true;
      const advance = storage.retryRuns.advance.bind(storage.retryRuns);
      let done = 0;
      let died: (() => void) | undefined;
      const hasDied = new Promise<void>((resolve) => {
        died = resolve;
      });
      vi.spyOn(storage.retryRuns, "advance").mockImplementation(async (of, progress) => {
        done += 1;
        if (done > 5) {
          died?.();
          // It says nothing any more.
          throw new Error("The process has died.");
        }
        return await advance(of, progress);
      });
      const { id } = await service.operator.retries.start({ channel: "call" });
      await hasDied;
      await service.stop();
      const next = open();
      expect(await next.service.operator.retries.get(id)).toMatchObject({ state: "running", looked: 5, retried: 5 });
      state.nowMs += 31_000;
      await next.service.runDue();
      const ended = await next.service.operator.retries.get(id);
      // The send at which the process died was retried, and is counted by nobody.
      expect(ended).toMatchObject({ state: "finished", matched: 12 });
      expect(ended.retried).toBeGreaterThanOrEqual(11);
      expect(new Set(await statuses(next.service, ids))).toEqual(new Set(["sent"]));
      const lines = (await next.service.operator.auditLog({ limit: 1_000 })).filter(({ action }) => action === "retried");
      expect(new Set(lines.map(({ notificationId }) => notificationId)).size).toBe(12);
      expect(lines).toHaveLength(12);
    });
  });
});
