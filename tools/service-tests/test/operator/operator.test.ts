import {
  type ActivityFilter,
  type AuditAction,
  type Channel,
  type DeliveryOutcome,
  type HealthRange,
  NotificationService,
  type RetryAllOptions,
  type SearchInput,
} from "@belfry/core";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const UNKNOWN = "01920000-0000-7000-8000-000000000000";

onEveryStorage((database) => {
  /** A service whose e-mail goes out, or fails for good, as `state.works` says, and whose clock stands where it is put. */
  function setUp() {
    const state = { works: true, nowMs: Date.UTC(2026, 0, 1, 12, 34, 56), released: Promise.resolve() };
    const email: Channel = {
      name: "email",
      retryDelaysMs: [],
      timeoutMs: 5_000,
      invalidRecipient: (recipient) => (recipient.includes("@") ? null : "is no address"),
      async deliver({ recipient }): Promise<DeliveryOutcome> {
        await state.released;
        const fails = !state.works || recipient.startsWith("bad");
        return fails
          ? { status: "failed", transient: false, error: "no such mailbox", provider: "test" }
          : { status: "sent", provider: "test" };
      },
    };
    const clock = { now: () => state.nowMs, after: () => () => undefined };
    const storage = database.storage();
    const service = stopsAfterTest(new NotificationService({ storage, channels: [email], clock, logger: silent }));
    const mail = async (to: string | readonly string[], actor = "host") => {
      const {
        notification: { id },
      } = await service.create({ channels: ["email"], to, message: "x", actor });
      await service.runDue();
      return id;
    };
    /** Does `work` while no delivery ends. */
    const holding = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      const { promise, resolve } = Promise.withResolvers<void>();
      state.released = promise;
      try {
        return await work();
      } finally {
        resolve();
      }
    };
    return { service, storage, state, mail, holding };
  }

  describe("a test of a channel", () => {
    test("goes to an address, or to a user as the directory and the inbox reach them, by somebody's name", async () => {
      const { service } = setUp();
      const send = (channel: string, to: string) => service.operator.sendTest({ channel, to, actor: "bea" });
      const { id } = await send("email", "ann@example.com");
      await service.runDue();
      expect(await service.operator.timeline(id)).toMatchObject({
        ...{ send: { status: "sent", type: "test", title: "Test" }, audit: [{ action: "created", actor: "bea" }] },
        deliveries: [{ channel: "email", recipient: "ann@example.com", status: "sent" }],
      });
      const inbox = await send("inbox", "ann");
      await service.runDue();
      expect([(await service.get(inbox.id)).status, (await service.inbox("ann").counts()).total]).toEqual(["sent", 1]);
      await expect(send("email", "ann")).rejects.toMatchObject({ code: "INVALID_RECIPIENTS" });
      await expect(send("fax", "ann")).rejects.toMatchObject({
        ...{ code: "CHANNEL_NOT_CONFIGURED", message: expect.stringContaining("channels are: inbox, email.") },
      });
    });

    test("reaches users by the directory, and says which channels there are", async () => {
      const tasks: string[] = [];
      const email: Channel = {
        ...{ name: "email", retryDelaysMs: [], timeoutMs: 5_000, takes: "addresses", isConfigured: (tenant) => tenant === "acme" },
        invalidRecipient: (recipient) => (recipient.includes("@") ? null : "is no address"),
        async deliver({ address }) {
          tasks.push(address);
          return { status: "sent", provider: "test" };
        },
      };
      const directory = () => new Map([["ann", { email: "ann@example.com" }]]);
      const service = stopsAfterTest(
        new NotificationService({ storage: database.storage(), channels: [email], directory, logger: silent }),
      );
      await service.tenant("acme").operator.sendTest({ channel: "email", to: "ann" });
      await service.runDue();
      expect(tasks).toEqual(["ann@example.com"]);
      const inbox = { name: "inbox", takes: "users", devices: [], hasPreview: false, isConfigured: true };
      const known = (tenant: string) => service.tenant(tenant).channels();
      expect(known("acme")).toEqual([inbox, { name: "email", takes: "addresses", devices: [], hasPreview: false, isConfigured: true }]);
      expect(known("globex")).toMatchObject([inbox, { name: "email", isConfigured: false }]);
    });
  });

  describe("search", () => {
    test("pages lead to each other, each with the cursor of the one before, and end", async () => {
      const { service } = setUp();
      const made: string[] = [];
      for (let index = 0; index < 7; index += 1) {
        made.unshift((await service.create({ to: "ann", title: `${index}` })).notification.id);
      }
      const seen: string[] = [];
      const sizes: number[] = [];
      let cursor: string | null = null;
      do {
        const { notifications, nextCursor } = await service.operator.search({ limit: 3, ...(cursor === null ? {} : { cursor }) });
        seen.push(...notifications.map(({ id }) => id));
        sizes.push(notifications.length);
        cursor = nextCursor;
      } while (cursor !== null);
      expect([seen, sizes]).toEqual([made, [3, 3, 1]]);
      const all = await service.operator.search({ limit: 7 });
      expect([all.notifications.length, all.nextCursor]).toEqual([7, null]);
      expect((await service.operator.search()).notifications).toHaveLength(7);
      expect(await service.operator.count()).toBe(7);
    });

    test("a cursor is good for its own search alone", async () => {
      const { service } = setUp();
      for (const user of ["ann", "bob", "ann", "bob"]) {
        await service.create({ to: user });
        await service.tenant("acme").create({ to: user });
      }
      const from = new Date(0);
      const { nextCursor } = await service.operator.search({ kind: "message", from, limit: 1 });
      const cursor = nextCursor ?? "";
      expect((await service.operator.search({ kind: "message", from: new Date(0), cursor, limit: 2 })).notifications).toHaveLength(2);
      const others: readonly SearchInput[] = [
        { cursor },
        { kind: "message", cursor },
        { kind: "message", from: new Date(1), cursor },
        { kind: "message", from, recipient: "ann", cursor },
        { kind: "message", from, cursor: `${cursor}0` },
        { kind: "message", from, cursor: cursor.replace(/^./, (first) => (first === "0" ? "1" : "0")) },
        { kind: "message", from, cursor: cursor.toUpperCase() },
        { kind: "message", from, cursor: "" },
        { kind: "message", from, cursor: "3" },
      ];
      for (const input of others) {
        await expect(service.operator.search(input), JSON.stringify(input)).rejects.toMatchObject({ code: "INVALID_CURSOR" });
      }
      const acme = service.tenant("acme").operator;
      await expect(acme.search({ kind: "message", from, cursor })).rejects.toMatchObject({ code: "INVALID_CURSOR" });
    });

    test("impossible values are refused, each with its own issue", async () => {
      const { service } = setUp();
      const wrong: readonly [string, unknown][] = [
        ["id", "%"],
        ["kind", "messages"],
        ["kind", 1],
        ["status", "open"],
        ["recipient", ""],
        ["recipient", "a\u0000"],
        ["recipient", 5],
        ["recipient", "x".repeat(4_097)],
        ["type", "\ud800"],
        ["type", "x".repeat(256)],
        ["channel", null],
        ["from", new Date(Number.NaN)],
        ["from", "2026-01-01"],
        ["before", new Date(8.64e15)],
        ["before", new Date(-1)],
      ];
      for (const [field, value] of wrong) {
        const filter = { [field]: value } as ActivityFilter;
        const refusal = { code: "VALIDATION_ERROR", issues: [{ path: [field] }] };
        await expect(service.operator.search(filter), field).rejects.toMatchObject(refusal);
        await expect(service.operator.count(filter), field).rejects.toMatchObject(refusal);
        await expect(service.operator.retryAll(filter), field).rejects.toMatchObject(refusal);
        await expect(service.operator.countRetryable(filter), field).rejects.toMatchObject(refusal);
      }
      for (const limit of [0, 101, 1.5, Number.NaN, "5"]) {
        await expect(service.operator.search({ limit } as SearchInput)).rejects.toMatchObject({ issues: [{ path: ["limit"] }] });
      }
      const both = { kind: "x", status: "y" } as unknown as ActivityFilter;
      await expect(service.operator.search(both)).rejects.toMatchObject({ issues: [{ path: ["kind"] }, { path: ["status"] }] });
    });

    test("an id is found in either case", async () => {
      const { service } = setUp();
      const { id } = (await service.create({ to: "ann" })).notification;
      expect((await service.operator.search({ id: id.toUpperCase() })).notifications).toMatchObject([{ id }]);
      expect((await service.operator.timeline(id.toUpperCase())).summary.id).toBe(id);
    });
  });

  describe("timeline", () => {
    test("of a message: its items, and who has read them", async () => {
      const { service } = setUp();
      const { notification } = await service.create({ to: ["ann", "bob"], title: "Hi", message: "There", data: { a: 1 } });
      await service.inbox("bob").markRead(notification.id);
      const activity = await service.operator.timeline(notification.id);
      expect(activity).toMatchObject({
        summary: { kind: "message", title: "Hi", status: null },
        message: "There",
        data: { a: 1 },
        itemCount: 2,
        readCount: 1,
        send: null,
        deliveries: [],
        records: [],
        audit: [],
      });
      expect(activity.items.map(({ userId, readAt }) => [userId, readAt === null])).toEqual([
        ["ann", true],
        ["bob", false],
      ]);
    });

    test("of a message to more users than a search counts: it names as many recipients as it has items", async () => {
      const { service } = setUp();
      const to = Array.from({ length: 1_001 }, (_, index) => `user ${index}`);
      const { notification, items } = await service.create({ to, title: "Hi" });
      expect(items).toEqual([]);
      await expect.poll(async () => (await service.timeline(notification.id)).itemCount, { timeout: 20_000 }).toBe(1_001);
      expect((await service.timeline(notification.id)).summary.recipientCount).toBe(1_001);
    });

    test("of a send: how far it got, every attempt, and what was done to it", async () => {
      const { service, state, mail } = setUp();
      state.works = false;
      const id = await mail(["ann@example.com", "bob@example.com"], "cat");
      await service.retry(id, { actor: "dan" });
      await service.runDue();
      const { send, deliveries, audit, itemCount } = await service.operator.timeline(id);
      expect(send).toMatchObject({ id, status: "failed" });
      expect(deliveries.map(({ recipient, attempts }) => [recipient, attempts.map(({ error }) => error)])).toEqual([
        ["ann@example.com", ["no such mailbox", "no such mailbox"]],
        ["bob@example.com", ["no such mailbox", "no such mailbox"]],
      ]);
      expect(audit.map(({ action, actor }) => `${actor} ${action}`)).toEqual(["cat created", "dan retried"]);
      expect(itemCount).toBe(0);
    });

    test("of an event: what its handlers made of it", async () => {
      const { service } = setUp();
      await service.hub.handlers.create({ source: "shop", prompt: "How bad?" });
      const { id } = await service.hub.events.create({ source: "shop", sender: "ann", content: "Down", metadata: { a: 1 } });
      const activity = await service.operator.timeline(id);
      expect(activity).toMatchObject({
        summary: { kind: "event", type: "shop" },
        message: "Down",
        data: { a: 1 },
        source: "shop",
        actor: "ann",
      });
      expect(activity.records).toMatchObject([{ prompt: "How bad?", notificationId: id }]);
    });

    test("of nothing, or of another tenant's, is NOT_FOUND", async () => {
      const { service } = setUp();
      const { id } = (await service.create({ to: "ann" })).notification;
      for (const unknown of [UNKNOWN, "", "%", "x".repeat(1_000)]) {
        await expect(service.operator.timeline(unknown)).rejects.toMatchObject({ code: "NOT_FOUND" });
      }
      await expect(service.tenant("acme").operator.timeline(id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    });
  });

  describe("health", () => {
    test("a range comes in its parts, on round times, the last of which has begun", async () => {
      const { service, state, mail } = setUp();
      await mail(["ann@example.com", "bad@example.com"]);
      const shapes: readonly [HealthRange, number, number][] = [
        ["1h", 60, 60_000],
        ["24h", 48, 30 * 60_000],
        ["7d", 84, 120 * 60_000],
      ];
      for (const [range, parts, lengthMs] of shapes) {
        const [email, ...others] = await service.operator.health(range);
        expect([others, email?.channel, email?.succeeded, email?.failed]).toEqual([[], "email", 1, 1]);
        const buckets = email?.buckets ?? [];
        const [first, last] = [buckets[0]?.from.getTime() ?? 0, buckets.at(-1)?.from.getTime() ?? 0];
        expect([buckets.length, (last - first) / (parts - 1), last % lengthMs]).toEqual([parts, lengthMs, 0]);
        expect([last <= state.nowMs, state.nowMs < last + lengthMs]).toEqual([true, true]);
        expect(buckets.at(-1)).toMatchObject({ succeeded: 1, failed: 1 });
      }
      state.nowMs += 60 * 60_000;
      expect(await service.operator.health("1h")).toEqual([]);
      expect(await service.tenant("acme").operator.health("7d")).toEqual([]);
    });

    test("another range is refused", async () => {
      const { service } = setUp();
      for (const range of ["1d", "", "toString", "__proto__", 5, null]) {
        await expect(service.operator.health(range as HealthRange)).rejects.toMatchObject({ issues: [{ path: ["range"] }] });
      }
    });
  });

  describe("retryAll", () => {
    test("matching sends that failed, whole or in part, are retried, and the log names who did it", async () => {
      const { service, state, mail, holding } = setUp();
      const sent = await mail("ann@example.com");
      const partial = await mail(["bad@example.com", "bob@example.com"]);
      state.works = false;
      const failed = await mail("cat@example.com");
      const other = await mail("dan@example.com");
      state.works = true;
      const filter: ActivityFilter = { recipient: "cat@example.com" };
      expect(await service.operator.countRetryable(filter)).toBe(1);
      expect(await service.operator.countRetryable({ status: "partial" })).toBe(1);
      expect(await service.operator.countRetryable()).toBe(3);
      expect(await service.operator.retryAll(filter, { actor: "eve" })).toEqual({ matched: 1, retried: 1, remaining: 0, nextCursor: null });
      await service.runDue();
      const status = async (id: string) => (await service.get(id)).status;
      expect([await status(failed), await status(other), await status(partial)]).toEqual(["sent", "failed", "partial"]);
      const all = await holding(() => service.operator.retryAll({}));
      expect(all).toEqual({ matched: 2, retried: 2, remaining: 0, nextCursor: null });
      await service.runDue();
      expect([await status(other), await status(partial), await status(sent)]).toEqual(["sent", "partial", "sent"]);
      const retries = (await service.operator.auditLog()).filter(({ action }) => action === "retried");
      expect(retries.map(({ actor, notificationId }) => [actor, notificationId])).toEqual([
        ["host", partial],
        ["host", other],
        ["eve", failed],
      ]);
    });

    test("retries at most its limit at a time, newest first", async () => {
      const { service, state, mail, holding } = setUp();
      state.works = false;
      const ids: string[] = [];
      for (let index = 0; index < 5; index += 1) {
        ids.unshift(await mail(`u${index}@example.com`));
      }
      await holding(async () => {
        expect(await service.operator.retryAll({ channel: "email" }, { limit: 2 })).toMatchObject({ matched: 5, retried: 2, remaining: 3 });
        const pending = (await service.operator.search({ status: "pending" })).notifications;
        expect(pending.map(({ id }) => id)).toEqual(ids.slice(0, 2));
      });
    });

    test("sends that fail again do not keep older ones from their turn", async () => {
      const { service, state, mail } = setUp();
      state.works = false;
      for (let index = 0; index < 5; index += 1) {
        await mail(`u${index}@example.com`);
      }
      const tried: number[] = [];
      let cursor: string | undefined;
      do {
        const { retried, nextCursor } = await service.operator.retryAll({ kind: "send" }, { limit: 2, ...(cursor ? { cursor } : {}) });
        tried.push(retried);
        await service.runDue();
        cursor = nextCursor ?? undefined;
      } while (cursor !== undefined);
      expect(tried).toEqual([2, 2, 1]);
      const retries = (await service.operator.auditLog()).filter(({ action }) => action === "retried");
      expect(new Set(retries.map(({ notificationId }) => notificationId)).size).toBe(5);
      const { nextCursor } = await service.operator.retryAll({ kind: "send" }, { limit: 2 });
      await expect(service.operator.retryAll({}, { cursor: nextCursor ?? "" })).rejects.toMatchObject({ code: "INVALID_CURSOR" });
    });

    test("a status that cannot be retried, a message or an event matches nothing", async () => {
      const { service, mail } = setUp();
      await mail("ann@example.com");
      await service.create({ to: "ann" });
      for (const filter of [{ status: "sent" }, { kind: "message" }, { kind: "event" }, { status: "pending" }] satisfies ActivityFilter[]) {
        expect(await service.operator.retryAll(filter)).toEqual({ matched: 0, retried: 0, remaining: 0, nextCursor: null });
      }
    });

    test("sends that change while it runs are left as they are", async () => {
      const { service, storage, state, mail } = setUp();
      state.works = false;
      const [removed = "", retried = ""] = [await mail("a@example.com"), await mail("b@example.com"), await mail("c@example.com")];
      state.works = true;
      const search = storage.activity.search.bind(storage.activity);
      vi.spyOn(storage.activity, "search").mockImplementationOnce(async (...query) => {
        const found = await search(...query);
        await service.retry(retried);
        await service.delete(removed);
        return found;
      });
      expect(await service.operator.retryAll({})).toEqual({ matched: 3, retried: 1, remaining: 0, nextCursor: null });
    });

    test("an impossible limit or actor is refused", async () => {
      const { service } = setUp();
      for (const options of [
        { limit: 0 },
        { limit: 1_001 },
        { limit: 1.5 },
        { actor: "" },
        { actor: "x".repeat(256) },
      ] as RetryAllOptions[]) {
        await expect(service.operator.retryAll({}, options)).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
      }
    });
  });

  describe("note", () => {
    test("a note is in the timeline and in the tenant's log", async () => {
      const { service, state } = setUp();
      const { id } = (await service.create({ to: "ann" })).notification;
      await service.operator.note({ action: "created", notificationId: id.toUpperCase(), actor: "eve" });
      await service.operator.note({ action: "read", notificationId: id });
      const lines = [
        { action: "created", actor: "eve", notificationId: id, at: new Date(state.nowMs) },
        { action: "read", actor: "host", notificationId: id },
      ];
      expect((await service.operator.timeline(id)).audit).toMatchObject(lines);
      expect(await service.operator.auditLog()).toMatchObject(lines.toReversed());
      expect(await service.tenant("acme").operator.auditLog()).toEqual([]);
    });

    test("an impossible action, id or actor is refused", async () => {
      const { service } = setUp();
      const fine = { action: "read", notificationId: UNKNOWN } as const;
      for (const change of [{ action: "eaten" as AuditAction }, { notificationId: "5" }, { notificationId: "" }, { actor: "" }]) {
        await expect(service.operator.note({ ...fine, ...change })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
      }
    });
  });
});
