import type { ActivityFilter, Notification } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { become, createSend, deliveriesOf } from "../delivery/send-entries.ts";
import { type Fixture, range, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { LOOKALIKES } from "../service/lookalikes.ts";
import { deleteSend } from "../steps.ts";

const HOUR_MS = 3_600_000;

/** Writes an event, which is in no inbox, and returns it as a notification. */
async function createEvent(fixture: Fixture, { source = "shop", sender = "ann", message = "" } = {}): Promise<Notification> {
  const { notification, recipients } = fixture.entry([], { kind: "event", type: "event", title: "", message, source, actor: sender });
  const { hub, inbox } = fixture.storage;
  if (hub) {
    const { id, tenant, data: metadata, createdAt: receivedAt } = notification;
    await hub.createEvents([{ id, tenant, source, sender, content: message, metadata, receivedAt }], () => []);
  } else {
    await inbox.createMany([{ notification, recipients }]);
  }
  return notification;
}

/** Gives every delivery of a send this status, and the send the one that follows from it. */
async function settle(fixture: Fixture, id: string, status: "delivered" | "failed"): Promise<void> {
  const change = become((delivery) => ({ ...delivery, status, dueAt: null }));
  await deliveriesOf(fixture).settle({ kind: "send", tenant: fixture.tenant, id }, new Date(0), change);
}

/** The promises of an operator's search. */
export function activitySearchTests(harness: StorageHarness): void {
  describe("an operator's search", () => {
    const fixture = useFixture(harness);
    const search = (filter: ActivityFilter & { readonly after?: string } = {}, limit = 100) =>
      fixture.storage.activity.search(fixture.tenant, { ...filter, limit });
    const count = (filter: ActivityFilter = {}, max = 10_000) => fixture.storage.activity.count(fixture.tenant, filter, max);
    const idsOf = (found: readonly { readonly id: string }[]) => found.map(({ id }) => id);

    test("messages, sends and events come newest first, each with its own summary", async () => {
      const { notification: message } = await fixture.create(["dan", "bob", "ann", "cat"], {
        message: `${"😀".repeat(199)}äö`,
        type: "note",
      });
      const { notification: send, details } = await createSend(fixture, {
        to: ["zoe", "ann", "_%", "bob"],
        channel: "webhook",
        fallbackAfterMs: null,
        details: { channels: ["webhook", "inbox"] },
      });
      const event = await createEvent(fixture);
      const base = { title: "A title", excerpt: "A message", status: null, underWay: [], recordError: null };
      expect(await search()).toEqual([
        {
          ...base,
          id: event.id,
          kind: "event",
          type: "shop",
          title: "",
          excerpt: "",
          recipients: [],
          recipientCount: 0,
          isForEveryone: false,
          channels: [],
          createdAt: event.createdAt,
        },
        {
          id: send.id,
          kind: "send",
          type: "note",
          title: "Subject",
          excerpt: "Content",
          recipients: details?.recipients.slice(0, 3),
          recipientCount: 4,
          isForEveryone: false,
          channels: ["webhook", "inbox", "email"],
          status: "pending",
          createdAt: send.createdAt,
          recordError: null,
          underWay: [0, 1, 2, 3].flatMap(() =>
            ["pending", "waiting"].map((status) => expect.objectContaining({ status, circuit: null, lastError: null })),
          ),
        },
        {
          ...base,
          id: message.id,
          kind: "message",
          type: "note",
          excerpt: `${"😀".repeat(199)}ä`,
          recipients: ["ann", "bob", "cat"],
          recipientCount: 4,
          isForEveryone: false,
          channels: ["inbox"],
          createdAt: message.createdAt,
        },
      ]);
    });

    test("every filter holds, alone and together, and counts what it finds", async () => {
      const a = (await fixture.create(["ann", "bob"], { type: "x" })).notification;
      const b = (await createSend(fixture, { channel: "email", to: ["ann", "100%"], fallbackAfterMs: null })).notification;
      const c = (await createSend(fixture, { channel: "inbox", to: ["bob"], fallbackAfterMs: null })).notification;
      const d = await createEvent(fixture);
      const e = (await createSend(fixture, { channel: "webhook", to: ["https://x.example/ann"] })).notification;
      await settle(fixture, b.id, "failed");
      const names = new Map([a, b, c, d, e].map(({ id }, index) => [id, "abcde"[index] ?? ""]));
      const found = async (filter: ActivityFilter) => {
        const ids = idsOf(await search(filter));
        expect(await count(filter)).toBe(ids.length);
        return ids.map((id) => names.get(id)).join("");
      };
      const filters: readonly [ActivityFilter, string][] = [
        [{}, "edcba"],
        [{ id: c.id }, "c"],
        [{ id: "01920000-0000-7000-8000-000000000000" }, ""],
        [{ kind: "message" }, "a"],
        [{ kind: "send" }, "ecb"],
        [{ kind: "event" }, "d"],
        [{ recipient: "ann" }, "dba"],
        [{ recipient: "bob" }, "ca"],
        [{ recipient: "100%" }, "b"],
        [{ recipient: "%" }, ""],
        [{ recipient: "an_" }, ""],
        [{ recipient: "https://x.example/ann" }, "e"],
        [{ type: "x" }, "a"],
        [{ type: "shop" }, "d"],
        [{ type: "note" }, "ecb"],
        [{ channel: "inbox" }, "ca"],
        [{ channel: "email" }, "cb"],
        [{ channel: "webhook" }, "e"],
        [{ channel: "ebhoo" }, ""],
        [{ status: "pending" }, "ec"],
        [{ status: "failed" }, "b"],
        [{ status: "partial" }, ""],
        [{ from: b.createdAt }, "edcb"],
        [{ before: d.createdAt }, "cba"],
        [{ from: b.createdAt, before: d.createdAt }, "cb"],
        [{ kind: "send", recipient: "ann" }, "b"],
        [{ kind: "message", recipient: "ann" }, "a"],
        [{ kind: "message", status: "failed" }, ""],
        [{ kind: "event", channel: "email" }, ""],
        [{ kind: "message", channel: "email" }, ""],
        [{ recipient: "ann", status: "failed", channel: "email", type: "note", from: b.createdAt, before: c.createdAt }, "b"],
        [{ recipient: "bob", channel: "email", status: "pending" }, "c"],
        [{ id: b.id, status: "failed", recipient: "ann" }, "b"],
        [{ id: b.id, status: "pending" }, ""],
        [{ id: d.id, recipient: "bob" }, ""],
      ];
      for (const [filter, names] of filters) {
        expect([filter, await found(filter)]).toEqual([filter, names]);
      }
    });

    test("it sees its own tenant alone", async () => {
      const { notification } = await fixture.create("ann");
      const { notification: send } = await createSend(fixture, { to: ["ann"] });
      await createEvent(fixture);
      fixture.nextTenant();
      const filters: ActivityFilter[] = [
        {},
        { id: notification.id },
        { recipient: "ann" },
        { status: "pending" },
        { kind: "send" },
        { type: "shop" },
      ];
      for (const filter of [...filters, { id: send.id, status: "pending" } as const]) {
        expect([filter, await search(filter), await count(filter)]).toEqual([filter, [], 0]);
      }
    });

    test("names that look alike are told apart", async () => {
      const made = LOOKALIKES.map((name) => [name, fixture.entry(name, { type: name })] as const);
      await fixture.inbox.createMany(made.map(([, entry]) => entry));
      for (const [name, { notification }] of made) {
        expect([name, idsOf(await search({ recipient: name })), idsOf(await search({ type: name }))]).toEqual([
          name,
          [notification.id],
          [notification.id],
        ]);
      }
    });

    /** Every id that a search answers with, page by page, while more is created. */
    async function pageThrough(filter: ActivityFilter, meanwhile: () => Promise<void>): Promise<readonly string[]> {
      const seen: string[] = [];
      for (let page = await search(filter, 7); page.length > 0; page = await search({ ...filter, after: seen.at(-1) ?? "" }, 7)) {
        seen.push(...idsOf(page));
        await meanwhile();
      }
      return seen;
    }

    test("pages follow each other without a gap, whatever comes in between", async () => {
      const createAll = async () => {
        const messages = await fixture.fill("ann", 3);
        const { notification: send } = await createSend(fixture, { channel: "email", to: ["ann"] });
        return [...messages, send, await createEvent(fixture)].map(({ id }) => id);
      };
      const made: string[] = [];
      for (let round = 0; round < 25; round += 1) {
        made.unshift(...(await createAll()).toReversed());
      }
      const filters: readonly ActivityFilter[] = [
        {},
        { recipient: "ann" },
        { status: "pending", channel: "email" },
        { kind: "event", type: "shop" },
      ];
      for (const filter of filters) {
        const expected = idsOf(await search(filter, 1_000));
        expect([filter, await pageThrough(filter, async () => void (await createAll()))]).toEqual([filter, expected]);
      }
      expect(idsOf(await search({}, 1_000)).slice(-made.length)).toEqual(made);
    });

    test("the few that match among thousands are found, however old", async () => {
      const rare = await fixture.fill("bob", 3, { type: "rare" });
      const { notification: failed } = await createSend(fixture, { channel: "email", to: ["cat"] });
      await settle(fixture, failed.id, "failed");
      const event = await createEvent(fixture, { source: "rare source", sender: "dan" });
      const partly = await fixture.fill("ann", 6_000);
      const { notification: last } = await fixture.create("ann", { type: "rare" });
      expect(idsOf(await search({ type: "rare" }))).toEqual([last, ...rare.toReversed()].map(({ id }) => id));
      expect(idsOf(await search({ type: "rare", after: last.id }, 2))).toEqual([rare[2], rare[1]].map((one) => one?.id));
      expect(idsOf(await search({ kind: "event" }))).toEqual([event.id]);
      expect(idsOf(await search({ recipient: "dan" }))).toEqual([event.id]);
      expect(idsOf(await search({ status: "failed" }))).toEqual([failed.id]);
      expect(idsOf(await search({ channel: "email" }))).toEqual([failed.id]);
      expect(idsOf(await search({ recipient: "bob", type: "rare" }, 1))).toEqual([rare[2]?.id]);
      expect(idsOf(await search({ recipient: "ann", type: "note", after: partly[1]?.id ?? "" }))).toEqual([partly[0]?.id]);
      expect(await count({ type: "rare" })).toBe(4);
      expect([await count({}), await count({ recipient: "ann" }), await count({ channel: "inbox" })]).toEqual([6_006, 6_001, 6_004]);
      expect([await count({}, 10), await count({ recipient: "ann" }, 5_000), await count({ status: "failed" }, 1)]).toEqual([10, 5_000, 1]);
    });

    test("a message's recipients are counted up to 1,000", async () => {
      await fixture.create(range(1, 1_000).map((user) => `u${user}`));
      await fixture.create(range(1, 1_200).map((user) => `u${user}`));
      const [more, thousand] = await search();
      expect([thousand?.recipientCount, more?.recipientCount, more?.recipients]).toEqual([1_000, 1_000, ["u1", "u10", "u100"]]);
    });

    test("a search by user finds items deleted from the inbox, but nothing that was deleted for good", async () => {
      const { notification } = await fixture.create("ann");
      const { notification: send } = await createSend(fixture, { to: ["ann"] });
      await fixture.inbox.remove(fixture.owner("ann"), [notification.id], new Date());
      expect(idsOf(await search({ recipient: "ann" }))).toEqual([send.id, notification.id]);
      await deleteSend(fixture.storage, send, { at: new Date(), actor: "x" });
      expect(idsOf(await search({ recipient: "ann" }))).toEqual([notification.id]);
      expect(idsOf(await search())).toEqual([notification.id]);
    });

    test("times are creation times, even if the clock went back after the id was made", async () => {
      const { notification } = await fixture.create("ann");
      const createdAt = new Date(notification.createdAt.getTime() - 20 * HOUR_MS);
      const { notification: moved } = await fixture.create("ann", { createdAt });
      const later = new Date(notification.createdAt.getTime() + 20 * HOUR_MS);
      const { notification: derived } = await fixture.create("ann", { createdAt: later });
      expect(idsOf(await search({ before: notification.createdAt }))).toEqual([moved.id]);
      expect(idsOf(await search({ from: createdAt, before: new Date(createdAt.getTime() + 1) }))).toEqual([moved.id]);
      expect(idsOf(await search({ from: later }))).toEqual([derived.id]);
    });
  });
}
