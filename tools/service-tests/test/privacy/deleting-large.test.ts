import { defineTypes, NotificationService } from "@belfry/core";
import { recorder, testClock } from "@belfry/testkit/host";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const TIMEOUT = { timeout: 120_000 };
const WAIT = { timeout: 60_000, interval: 20 };
const HOUR_MS = 3_600_000;
const MANY = 20_000;
/** No step removes more rows of one kind. */
const MOST = 1_000;

const types = defineTypes({ letter: { channels: ["email"] } });

/** The database of a transaction of the host, whichever it is. */
interface Counting {
  prepare?(sql: string): { get(): { readonly found: number } };
  query?(sql: string): Promise<{ readonly rows: readonly { readonly found: string }[] }>;
}

onEveryStorage((database) => {
  async function count(table: string): Promise<number> {
    const text = `SELECT count(*) AS found FROM ${table}`;
    let found = 0;
    await database.transaction((tx) => {
      const on = tx as Counting;
      if (on.prepare !== undefined) {
        found = on.prepare(text).get().found;
        return;
      }
      return on.query?.(text).then(({ rows }) => {
        found = Number(rows[0]?.found);
      });
    });
    return found;
  }

  describe("a notification with a great many deliveries", () => {
    const clock = testClock();
    let mails = recorder();
    let told: string[] = [];

    beforeEach(() => {
      mails = recorder();
      told = [];
    });

    function serviceOn(deliveriesMs?: number) {
      const storage = database.storage();
      const options = { channels: [mails], types, clock, logger: silent, retention: deliveriesMs === undefined ? {} : { deliveriesMs } };
      const service = stopsAfterTest(new NotificationService({ ...options, storage, delivery: { worker: deliveriesMs === undefined } }));
      for (const event of ["send.changed", "delivery.skipped", "delivery.cancelled"] as const) {
        service.on(event, () => void told.push(event));
      }
      return { service, storage };
    }

    type Made = ReturnType<typeof serviceOn>;

    /** Creates one that is due in an hour. */
    async function create({ service }: Made, length: number): Promise<string> {
      const to = Array.from({ length }, (_, index) => ({ email: `u${index}@example.com` }));
      const scheduledAt = new Date(clock.now() + HOUR_MS);
      const { notification } = await service.create({ type: "letter", to, title: "News", scheduledAt });
      await vi.waitFor(async () => expect(await count("belfry_deliveries")).toBe(length), WAIT);
      return notification.id;
    }

    /** Looks how many deliveries are left after each step of a deletion, and lets it die before it takes the step number `dies`. */
    function watch({ storage }: Made, dies = Number.POSITIVE_INFINITY): readonly number[] {
      const take = storage.activity.deleteNotification.bind(storage.activity);
      const left: number[] = [];
      vi.spyOn(storage.activity, "deleteNotification").mockImplementation(async (...args) => {
        if (left.length >= dies) {
          throw new Error("killed");
        }
        const step = await take(...args);
        left.push(await count("belfry_deliveries"));
        return step;
      });
      return left;
    }

    async function expectHidden({ service }: Made, id: string): Promise<void> {
      const notFound = { code: "NOT_FOUND" };
      await expect(service.get(id)).rejects.toMatchObject(notFound);
      await expect(service.cancel(id)).rejects.toMatchObject(notFound);
      await expect(service.retry(id)).rejects.toMatchObject(notFound);
      await expect(service.update(id, { title: "Other" })).rejects.toMatchObject(notFound);
      await expect(service.operator.timeline(id)).rejects.toMatchObject(notFound);
      expect(await service.list()).toEqual({ sends: [], total: 0 });
      expect((await service.operator.search()).notifications).toEqual([]);
      expect(await service.operator.count()).toBe(0);
      expect((await service.analytics()).total).toBe(0);
    }

    async function expectGone(): Promise<void> {
      for (const table of ["notifications", "trackings", "sends", "deliveries", "delivery_attempts"]) {
        expect([table, await count(`belfry_${table}`)]).toEqual([table, 0]);
      }
    }

    test("is deleted in steps, each of which removes some of them", TIMEOUT, async () => {
      const made = serviceOn();
      const id = await create(made, MANY);
      const left = watch(made);
      await made.service.delete(id);
      const removed = left.map((number, index) => (left[index - 1] ?? MANY) - number);
      expect(Math.max(...removed)).toBeLessThanOrEqual(MOST);
      expect(removed.reduce((sum, number) => sum + number, 0)).toBe(MANY);
      await expectGone();
      const log = await made.service.operator.auditLog();
      expect(log.map(({ action }) => action)).toEqual(["deleted", "created"]);
    });

    test("looks like none once its deletion has begun, whoever dies; another call goes on", TIMEOUT, async () => {
      const made = serviceOn();
      const id = await create(made, 3_000);
      watch(made, 1);
      await expect(made.service.delete(id)).rejects.toThrow("killed");
      const left = await count("belfry_deliveries");
      expect(left).toBeGreaterThan(0);
      await expectHidden(made, id);
      await clock.pass(2 * HOUR_MS);
      await made.service.runDue();
      expect(mails.tasks).toEqual([]);
      expect(told).toEqual([]);
      expect(await count("belfry_deliveries")).toBe(left);
      await expectHidden(made, id);
      const other = serviceOn(HOUR_MS);
      await other.service.delete(id, { actor: "ann" });
      await expect(other.service.delete(id)).rejects.toMatchObject({ code: "NOT_FOUND" });
      await expectGone();
      const log = await other.service.operator.auditLog();
      expect(log.map(({ action, actor }) => [action, actor])).toEqual([
        ["deleted", "host"],
        ["created", "host"],
      ]);
    });

    test("goes by itself at the next start if nobody repeats the call", TIMEOUT, async () => {
      const made = serviceOn();
      const id = await create(made, 3_000);
      watch(made, 1);
      await expect(made.service.delete(id)).rejects.toThrow("killed");
      await made.service.stop();
      const { service } = serviceOn();
      await service.start();
      await vi.waitFor(expectGone, WAIT);
    });

    test("is swept in steps, each of which removes some of them, also after a kill in between", TIMEOUT, async () => {
      const first = serviceOn();
      const id = await create(first, 3_000);
      await first.service.cancel(id);
      await first.service.stop();
      await clock.pass(3 * HOUR_MS);
      const dying = serviceOn(HOUR_MS);
      const sweep = dying.storage.deliveries.sweep.bind(dying.storage.deliveries);
      let steps = 0;
      vi.spyOn(dying.storage.deliveries, "sweep").mockImplementation(async (...args) => {
        steps += 1;
        if (steps > 1) {
          throw new Error("killed");
        }
        return sweep(...args);
      });
      await dying.service.start();
      await vi.waitFor(() => expect(steps).toBeGreaterThan(1), WAIT);
      await dying.service.stop();
      const left = await count("belfry_deliveries");
      expect(left).toBeGreaterThanOrEqual(3_000 - MOST);
      expect(left).toBeLessThan(3_000);
      await expectHidden(serviceOn(), id);
      const other = serviceOn(HOUR_MS);
      await other.service.start();
      await vi.waitFor(expectGone, WAIT);
    });
  });
});
