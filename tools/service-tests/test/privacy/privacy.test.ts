import { type Channel, NotificationService, type RetentionOptions } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import { testClock, turns } from "@belfry/testkit/host";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Watches the members of every part of a storage that erase, export or sweep, and returns the names of those that were not called. */
function watchSteps(storage: Storage): () => readonly string[] {
  const steps = Object.entries(storage).flatMap(([part, members]) =>
    Object.keys(typeof members === "object" && members !== null ? members : {})
      .filter((name) => /^(erase|export|sweep)/.test(name))
      .map((name) => ({ name: `${part}.${name}`, spy: vi.spyOn(members as Record<string, () => unknown>, name) })),
  );
  return () => steps.filter(({ spy }) => spy.mock.calls.length === 0).map(({ name }) => name);
}

onEveryStorage((database) => {
  function setUp(retention?: RetentionOptions) {
    const state = { nowMs: Date.UTC(2030, 0, 1) };
    const clock = { now: () => state.nowMs, after: () => () => undefined };
    const options = { storage: database.storage(), clock, logger: silent, ...(retention === undefined ? {} : { retention }) };
    return { state, notifications: stopsAfterTest(new NotificationService(options)) };
  }

  describe("delete", () => {
    test("a message leaves every inbox, its followers hear of it, and who did it is on record", async () => {
      const { notifications } = setUp();
      const users = Array.from({ length: 250 }, (_, index) => `user ${index}`);
      const { notification } = await notifications.create({ to: users, title: "Secret" });
      await notifications.create({ to: "user 7", title: "Other" });
      const told: string[] = [];
      const subscription = notifications.inbox("user 7").subscribe({
        onEvent: ({ change, item }) => told.push(`${change} ${item?.title}`),
        onState: () => undefined,
      });
      await subscription.ready;
      await notifications.delete(notification.id.toUpperCase(), { actor: "ann" });
      await vi.waitFor(() => expect(told).toEqual(["deleted Secret"]));
      subscription.close();
      expect(await notifications.inbox("user 7").counts()).toMatchObject({ total: 1, unread: 1 });
      expect(await notifications.inbox("user 249").counts()).toMatchObject({ total: 0, unread: 0 });
      await expect(notifications.operator.timeline(notification.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
      expect((await notifications.operator.auditLog({ limit: 1 }))[0]).toMatchObject({ action: "deleted", actor: "ann" });
    });

    test("an unknown one, another tenant's and a bad actor are refused", async () => {
      const { notifications } = setUp();
      const { notification } = await notifications.tenant("acme").create({ to: "ann", title: "x" });
      for (const id of [notification.id, "01920000-0000-7000-8000-000000000000", "5", ""]) {
        await expect(notifications.delete(id)).rejects.toMatchObject({ code: "NOT_FOUND" });
      }
      await expect(notifications.delete(undefined as unknown as string)).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
      const acme = notifications.tenant("acme");
      await expect(acme.delete(notification.id, { actor: "" })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
      expect(await acme.inbox("ann").counts()).toMatchObject({ total: 1 });
    });
  });

  describe("a user", () => {
    const ANN = "ann-canary";
    const ADDRESS = "ann-canary@example.com";

    /** A service with data about a user wherever a user can be named, some of it still to be done. */
    async function withTraces() {
      const mails: string[] = [];
      const email: Channel = {
        name: "email",
        retryDelaysMs: [],
        timeoutMs: 5_000,
        invalidRecipient: (recipient) => (recipient.includes("@") ? null : "is no address"),
        async deliver({ recipient, title }) {
          mails.push(`${title} to ${recipient}`);
          return { status: "sent", provider: "test" };
        },
      };
      const clock = { now: () => Date.now(), after: () => () => undefined };
      const options = { storage: database.storage(), channels: [email], clock, logger: silent };
      const notifications = stopsAfterTest(new NotificationService({ ...options, delivery: { worker: true } }));
      await notifications.create({ to: [ANN, "bob"], title: "Both" });
      await notifications.create({ to: ANN, title: "Only her", data: { secret: "text-canary" } });
      await notifications.inbox(ANN).remove({ seq: 1 });
      const later = new Date(Date.now() + 3_600_000);
      await notifications.create({
        channels: ["email"],
        to: [ADDRESS, "bob@example.com"],
        title: "Sent",
        message: "x",
        idempotencyKey: "key-1",
      });
      await notifications.runDue();
      await notifications.create({
        channels: ["email"],
        to: [ADDRESS, "bob@example.com"],
        title: "Later",
        message: "x",
        scheduledAt: later,
      });
      await notifications.create({ to: [ANN, "bob"], title: "To the inbox", message: "x", actor: ANN, idempotencyKey: "key-2" });
      await notifications.runDue();
      const { decisions } = options.storage;
      const place = { scope: "topic", name: "canary", channel: null } as const;
      await decisions.setChoice({ tenant: "default", userId: ANN }, { ...place, value: "off", when: null, isLocked: false }, 10);
      await decisions.changeSettings({ tenant: "default", userId: ANN }, { timeZone: "Asia/Tokyo" });
      await notifications.topics.subscribe("post:7", [ANN, "bob"], { deep: true });
      await notifications.devices.register(ANN, { platform: "fcm", token: "token-canary", name: "canary" });
      await notifications.suppressions.add({ channel: "email", address: ADDRESS, detail: `${ADDRESS} said so` });
      const users = Array.from({ length: 1_200 }, (_, index) => `user ${index}`);
      await notifications.create({ to: [...users, ANN], title: "Many" });
      return { notifications, mails };
    }

    const exported = async (service: NotificationService) => {
      const lines: string[] = [];
      for await (const line of service.exportUser(ANN, { addresses: [ADDRESS] })) {
        lines.push(line);
      }
      return lines.map((line) => JSON.parse(line) as { readonly record: string; readonly title?: string });
    };

    test("an export has every item, deleted ones too, every delivery and every line of the audit log", async () => {
      const { notifications } = await withTraces();
      await notifications.runDue();
      const records = await exported(notifications);
      const count = (record: string) => records.filter((one) => one.record === record).length;
      expect([count("item"), count("delivery"), count("audit")]).toEqual([4, 3, 2]);
      expect(records.filter(({ record }) => record === "choice" || record === "settings")).toEqual([
        { record: "choice", scope: "topic", name: "canary", channel: null, value: "off", when: null },
        { record: "settings", timeZone: "Asia/Tokyo", quietHours: null, pauseUntil: null, digest: null },
      ]);
      expect(records.filter(({ record }) => record === "subscription")).toMatchObject([{ topic: "post:7", deep: true, channels: null }]);
      expect(records.filter(({ record }) => record === "suppression")).toMatchObject([
        { channel: "email", address: ADDRESS, reason: "manual" },
      ]);
      expect(records.filter(({ record }) => record === "device")).toMatchObject([{ platform: "fcm", tokenEnd: "ary", name: "canary" }]);
      expect(records.flatMap(({ title }) => title ?? [])).toEqual(["Both", "Only her", "To the inbox", "Many"]);
    });

    test("row 51: a deleted user is named nowhere in the database, and gets nothing that was pending", async () => {
      const { notifications, mails } = await withTraces();
      const told = vi.fn<(recovered: boolean) => void>();
      const subscription = notifications.inbox(ANN).subscribe({ onEvent: () => undefined, onState: told });
      await subscription.ready;
      expect((await database.content()).includes("canary")).toBe(true);
      expect((await notifications.deleteUser(ANN, { addresses: [ADDRESS] })).removed).toBeGreaterThan(6);
      await vi.waitFor(() => expect(told.mock.lastCall?.[0]).toBe(false));
      subscription.close();
      // Who is connected is on record until the connection has ended.
      await vi.waitFor(async () => expect((await database.content()).includes("canary")).toBe(false));
      expect(await exported(notifications)).toEqual([]);
      await notifications.runDue();
      expect((await database.content()).includes("canary")).toBe(false);
      expect(mails).toEqual([`Sent to ${ADDRESS}`, "Sent to bob@example.com"]);
      expect((await notifications.inbox("bob").list()).items.map(({ title }) => title)).toEqual(["To the inbox", "Both"]);
      expect(await notifications.inbox("user 1199").counts()).toMatchObject({ total: 1, unread: 1 });
      const { sends } = await notifications.list();
      expect(sends.map(({ title, status }) => [title, status])).toEqual([
        ["To the inbox", "sent"],
        ["Later", "pending"],
        ["Sent", "sent"],
      ]);
      // The export of what is gone is on record, too, without a name.
      expect(await notifications.operator.auditLog({ limit: 2 })).toMatchObject([
        { action: "user_exported", actor: "host", targetKind: "user", targetId: null },
        { action: "user_deleted", actor: "host", notificationId: "00000000-0000-0000-0000-000000000000" },
      ]);
      await notifications.create({ to: ANN, title: "A new beginning" });
      expect(await notifications.inbox(ANN).counts()).toMatchObject({ total: 1, lastSeq: 1 });
    });

    test("listeners hear how the status of a send changes as a user's delivery goes", async () => {
      const email: Channel = {
        name: "email",
        retryDelaysMs: [],
        timeoutMs: 5_000,
        invalidRecipient: () => null,
        async deliver({ recipient }) {
          return recipient === ADDRESS
            ? { status: "failed", transient: false, provider: "test", error: "No such mailbox." }
            : { status: "sent", provider: "test" };
        },
      };
      const notifications = stopsAfterTest(new NotificationService({ storage: database.storage(), channels: [email], logger: silent }));
      const {
        notification: { id },
      } = await notifications.create({ channels: ["email"], to: [ADDRESS, "bob@example.com"], title: "Sent", message: "x" });
      await notifications.runDue();
      const changed = vi.fn();
      notifications.on("send.changed", changed);
      await notifications.deleteUser(ANN, { addresses: [ADDRESS] });
      expect(changed.mock.calls).toEqual([[{ tenant: "default", id, from: "partial", to: "sent" }]]);
    });

    test("deleting again does nothing, and impossible names are refused", async () => {
      const { notifications } = setUp();
      expect(await notifications.deleteUser("nobody")).toEqual({ removed: 0 });
      await expect(notifications.deleteUser("")).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
      await expect(notifications.deleteUser("ann", { adresses: [] } as object)).rejects.toThrow("adresses");
      expect(() => notifications.exportUser("ann", { addresses: "ann@example.com" as unknown as string[] })).toThrow("addresses");
    });
  });

  test("deleting a user, exporting one and a sweep reach every part of the storage", async () => {
    const storage = database.storage();
    const left = watchSteps(storage);
    const before = left();
    expect(before).toEqual(expect.arrayContaining(["inbox.erase", "deliveries.export", "hub.sweep"]));
    const retention: Required<RetentionOptions> = {
      readMs: 1,
      unreadMs: 1,
      types: {},
      deliveriesMs: 1,
      broadcastsMs: 1,
      eventsMs: 1,
      auditMs: 1,
      changesMs: 1,
    };
    const notifications = stopsAfterTest(new NotificationService({ storage, retention, logger: silent }));
    await notifications.deleteUser("ann");
    for await (const _line of notifications.exportUser("ann")) {
      // All of it is read.
    }
    await notifications.sweep();
    expect(left()).toEqual([]);
  });

  describe("retention", () => {
    test("each kind of data goes when its time is over", async () => {
      const { state, notifications } = setUp({
        readMs: 10 * DAY_MS,
        unreadMs: 30 * DAY_MS,
        types: { news: { unreadMs: DAY_MS } },
        eventsMs: 5 * DAY_MS,
        auditMs: 2 * DAY_MS,
      });
      const inbox = notifications.inbox("ann");
      for (const type of ["news", "bill", "bill", "last"]) {
        await notifications.create({ to: "ann", type, title: type });
      }
      await inbox.markRead({ seq: 2 });
      await notifications.hub.events.create({ source: "shop", sender: "cart", content: "An order" });
      const { id } = await inbox.get({ seq: 1 });
      await notifications.operator.note({ action: "read", notificationId: id });
      const sweepAfter = (days: number) => {
        state.nowMs += days * DAY_MS + 1;
        return notifications.sweep();
      };
      const left = async () => (await inbox.list()).items.map(({ seq }) => seq);
      expect(await sweepAfter(0)).toEqual({ items: 0, deliveries: 0, events: 0, audit: 0, changes: 0, broadcasts: 0 });
      expect(await sweepAfter(1)).toEqual({ items: 1, deliveries: 0, events: 0, audit: 0, changes: 0, broadcasts: 0 });
      expect(await left()).toEqual([4, 3, 2]);
      expect(await sweepAfter(1)).toEqual({ items: 0, deliveries: 0, events: 0, audit: 1, changes: 0, broadcasts: 0 });
      expect(await sweepAfter(3)).toEqual({ items: 0, deliveries: 0, events: 1, audit: 0, changes: 0, broadcasts: 0 });
      expect(await sweepAfter(5)).toEqual({ items: 1, deliveries: 0, events: 0, audit: 0, changes: 0, broadcasts: 0 });
      expect(await sweepAfter(20)).toEqual({ items: 1, deliveries: 0, events: 0, audit: 0, changes: 1, broadcasts: 0 });
      // The newest item stays, as it holds the inbox's last number.
      expect(await left()).toEqual([4]);
      expect(await inbox.counts()).toMatchObject({ total: 1, unread: 1 });
    });

    test("a start sweeps", async () => {
      const { state, notifications } = setUp({ unreadMs: DAY_MS });
      await notifications.create({ to: "ann", title: "old" });
      state.nowMs += 2 * DAY_MS;
      await notifications.create({ to: "ann", title: "new" });
      await notifications.start();
      await vi.waitFor(async () => expect((await notifications.inbox("ann").list()).items.map(({ title }) => title)).toEqual(["new"]));
    });

    test("the loop looks through the changes of all inboxes at the start, and then once a day, of those kept for 30 days", async () => {
      const storage = database.storage();
      const [items, changes, last] = [
        vi.spyOn(storage.inbox, "sweep"),
        vi.spyOn(storage.inbox, "sweepChanges"),
        vi.spyOn(storage.broadcasts, "sweep"),
      ];
      const clock = testClock();
      const startedAt = clock.now();
      const notifications = stopsAfterTest(new NotificationService({ storage, clock, retention: { readMs: DAY_MS }, logger: silent }));
      await notifications.start();
      while (changes.mock.calls.length < 2) {
        // A sweep that is under way ends before the clock moves on.
        await vi.waitFor(() => expect(last.mock.settledResults.length).toBe(Math.max(1, items.mock.calls.length)));
        await turns(20);
        await clock.skip(HOUR_MS);
      }
      expect(clock.now() - startedAt).toBeGreaterThanOrEqual(DAY_MS);
      expect(items.mock.calls.length).toBeGreaterThan(1);
    });

    test("data without a limit stays, and sweep() returns how much it removed", async () => {
      const { state, notifications } = setUp({ unreadMs: DAY_MS });
      for (let index = 0; index < 120; index += 1) {
        await notifications.create({ to: "ann", title: "x" });
      }
      for (const seq of [1, 2, 3]) {
        await notifications.inbox("ann").markRead({ seq });
      }
      expect(await notifications.sweep()).toEqual({ items: 0, deliveries: 0, events: 0, audit: 0, changes: 0, broadcasts: 0 });
      state.nowMs += 2 * DAY_MS;
      expect(await notifications.sweep()).toEqual({ items: 116, deliveries: 0, events: 0, audit: 0, changes: 0, broadcasts: 0 });
      expect(await notifications.inbox("ann").counts()).toMatchObject({ total: 4, unread: 1 });
    });

    test.each([
      [{ readMs: -1 }, "retention.readMs"],
      [{ auditMs: "1d" }, "retention.auditMs"],
      [{ types: { news: { unreadMs: Number.NaN } } }, 'retention.types["news"].unreadMs'],
    ])("%j is refused by name", (retention, named) => {
      expect(() => setUp(retention as unknown as RetentionOptions)).toThrow(named);
    });
  });
});
