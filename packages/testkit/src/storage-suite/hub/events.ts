import type { HubEvent, IdentifiedEvent, JsonObject } from "@belfry/core";
import type { HistoryPage, HistoryPosition, PageBounds } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import type { StorageHarness } from "../harness.ts";
import { ended, later, madeRecord, newRecord, planSome, useHub } from "./hub-fixture.ts";

/** The ids of events or records, in their order. */
function idsOf(items: readonly { readonly id: string }[]): readonly string[] {
  return items.map(({ id }) => id);
}

function unidentified(event: HubEvent): IdentifiedEvent {
  return { ...event, identity: null };
}

/** The promises of writing, finding and listing events. */
export function eventTests(harness: StorageHarness): void {
  describe("events", () => {
    const fixture = useHub(harness);
    const all = { limit: 100, offset: 0 };
    const list = (query: Partial<Parameters<typeof fixture.hub.listEvents>[1]> = {}) =>
      fixture.hub.listEvents(fixture.tenant, { ...all, ...query });

    test("an event is found as it was written, by its tenant alone", async () => {
      const event = await fixture.createEvent({ sender: "", content: "", metadata: {} });
      const other = await fixture.createEvent();
      const found = await fixture.hub.findEvents(fixture.tenant, [other.id, event.id, "unknown", crypto.randomUUID()]);
      expect([...found].sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([unidentified(event), unidentified(other)]);
      expect(await fixture.hub.findEvents(fixture.tenant, [])).toEqual([]);
      expect(await fixture.hub.findEvents("another", [event.id])).toEqual([]);
    });

    test("an id in upper case names the same event", async () => {
      const event = await fixture.createEvent({}, planSome(1));
      const id = event.id.toUpperCase();
      expect(idsOf(await fixture.hub.findEvents(fixture.tenant, [id]))).toEqual([event.id]);
      expect(await fixture.hub.recordsOf(fixture.tenant, id)).toHaveLength(1);
      expect(await fixture.hub.acknowledgeEvent(fixture.tenant, id, { client: "c", at: new Date() })).toBe(true);
    });

    const documents: readonly [name: string, metadata: JsonObject][] = [
      ["every kind of value", { text: "x", number: 1.5, yes: true, nothing: null, list: [1, "2", null, [], {}], object: {} }],
      ["members in an order of their own", { zebra: 1, apple: 2, Zebra: 3, aa: 4, 中: 5, "": 6, "a b": 7 }],
      ["numbers to their last digit", { list: [0.1, 1e21, 5e-324, 1.7976931348623157e308, Number.MAX_SAFE_INTEGER] }],
      ["names that JavaScript objects have anyway", JSON.parse('{"__proto__":{"admin":true},"constructor":1,"toString":[]}') as JsonObject],
      ["200 KiB", { text: "x".repeat(200 * 1024) }],
    ];

    test.each(documents)("metadata of %s comes back to the letter", async (_, metadata) => {
      const event = await fixture.createEvent({ metadata, content: "'; -- \" \\ 😀 \u0001\u2028" }, planSome(1));
      const { tenant } = fixture;
      const [claimed] = await fixture.claim(new Date(event.receivedAt.getTime() + 1_000));
      const read: readonly (HubEvent | undefined)[] = [
        (await fixture.hub.findEvents(tenant, [event.id]))[0],
        (await list()).items[0],
        (await fixture.hub.listEventsSince(tenant, "mail", { since: event.receivedAt, limit: 1, bytes: 1_000_000 })).items[0],
        claimed?.event,
      ];
      for (const one of read) {
        expect(JSON.stringify(one?.metadata)).toBe(JSON.stringify(metadata));
        expect(one?.content).toBe(event.content);
      }
    });

    test("the sender's identity is the one its source and tenant know at the moment of reading", async () => {
      const event = await fixture.createEvent({}, planSome(1));
      await fixture.createIdentity({ source: "chat", name: "of another source" });
      await fixture.createIdentity({ tenant: `${fixture.tenant} (other)`, name: "of another tenant" });
      await fixture.createIdentity({ sourceId: "U1", name: "of another sender" });
      const { id } = await fixture.createIdentity({ name: "Ann" });
      const identities = async () => [
        (await fixture.hub.findEvents(fixture.tenant, [event.id]))[0]?.identity,
        (await list()).items[0]?.identity,
      ];
      expect(await identities()).toEqual([
        { id, name: "Ann" },
        { id, name: "Ann" },
      ]);
      await fixture.createIdentity({ name: "Ann Lee" });
      expect((await identities())[1]).toEqual({ id, name: "Ann Lee" });
      const [claimed] = await fixture.claim(new Date(event.receivedAt.getTime() + 100_000));
      expect(claimed?.event).toEqual({ ...event, identity: { id, name: "Ann Lee" } });
    });

    test("lists are newest first, with how many match wherever the page starts", async () => {
      const receivedAt = fixture.newEvent().receivedAt;
      const events: HubEvent[] = [];
      for (let index = 0; index < 5; index += 1) {
        events.push(await fixture.createEvent(index < 2 ? { receivedAt } : {}));
      }
      const newest = idsOf(events).toReversed();
      expect((await list()).items).toEqual(events.toReversed().map(unidentified));
      expect(await list({ limit: 2, offset: 1 })).toMatchObject({ items: [{ id: newest[1] }, { id: newest[2] }], total: 5 });
      expect(await list({ limit: 2, offset: 4 })).toMatchObject({ items: [{ id: newest[4] }], total: 5 });
      expect(await list({ offset: 5 })).toEqual({ items: [], total: 5 });
      expect(await list({ limit: 0 })).toEqual({ items: [], total: 5 });
      expect(await fixture.hub.listEvents("another", all)).toEqual({ items: [], total: 0 });
    });

    test("lists of a source, of a sender, and of both", async () => {
      const made: Record<string, string> = {};
      for (const [source, sender] of ["mail u1", "mail u2", "chat u1", "chat u2", "mail u1 x"].map((text) => text.split(" "))) {
        const { id } = await fixture.createEvent({ source: source ?? "", sender: sender ?? "" });
        made[id] = `${source} ${sender}`;
      }
      const listed = async (query: { source?: string; sender?: string }) => {
        const { items, total } = await list(query);
        return [items.map(({ id }) => made[id]), total];
      };
      expect(await listed({ source: "mail" })).toEqual([["mail u1", "mail u2", "mail u1"], 3]);
      expect(await listed({ sender: "u1" })).toEqual([["mail u1", "chat u1", "mail u1"], 3]);
      expect(await listed({ source: "mail", sender: "u1" })).toEqual([["mail u1", "mail u1"], 2]);
      expect(await listed({ source: "chat", sender: "u3" })).toEqual([[], 0]);
      expect(await listed({ source: "%" })).toEqual([[], 0]);
    });

    test("events of one source since a time are listed, oldest first", async () => {
      const receivedAt = fixture.newEvent().receivedAt;
      const before = await fixture.createEvent({ receivedAt: new Date(receivedAt.getTime() - 1) });
      const events = [await fixture.createEvent({ receivedAt }), await fixture.createEvent(), await fixture.createEvent()];
      await fixture.createEvent({ source: "chat" });
      await fixture.createEvent({ tenant: "another" });
      const since = async (time: Date, limit = 100) =>
        (await fixture.hub.listEventsSince(fixture.tenant, "mail", { since: time, limit, bytes: 1_000_000 })).items;
      expect(await since(receivedAt)).toEqual(events);
      expect(idsOf(await since(receivedAt, 2))).toEqual(idsOf(events.slice(0, 2)));
      expect(idsOf(await since(before.receivedAt))).toEqual(idsOf([before, ...events]));
      expect(await since(new Date((events[2]?.receivedAt.getTime() ?? 0) + 1))).toEqual([]);
    });

    test("a history is read on from where a page ended, by count and by bytes, also within one millisecond", async () => {
      const { hub, tenant } = fixture;
      await fixture.createHandler();
      const receivedAt = fixture.newEvent().receivedAt;
      const events: HubEvent[] = [];
      for (let at = 0; at < 7; at += 1) {
        events.push(await fixture.createEvent({ receivedAt, content: "x".repeat(at === 3 ? 5_000 : 1_000), metadata: {} }));
      }
      const claimed = await fixture.claim(later(0));
      const ends = claimed.map((one) => ended(one, { result: "x".repeat(1_000) }));
      const settled = await hub.endRecords("worker", ends, later(1));
      const recordIds = settled.map(({ id }) => id);
      const pagesOf = async (read: (position: HistoryPosition) => Promise<HistoryPage<{ readonly id: string }>>) => {
        const pages: string[][] = [];
        for (let position: HistoryPosition | null = { since: new Date(0) }; position !== null; ) {
          const { items, next }: HistoryPage<{ readonly id: string }> = await read(position);
          pages.push(items.map(({ id }) => id));
          position = next;
        }
        return pages;
      };
      const eventPages = (bounds: PageBounds) => pagesOf((position) => hub.listEventsSince(tenant, "mail", { ...position, ...bounds }));
      const recordPages = (bounds: PageBounds) => pagesOf((position) => hub.listSettledSince(tenant, "mail", { ...position, ...bounds }));
      const lengths = (pages: readonly string[][]) => pages.map(({ length }) => length);
      for (const [pages, all] of [
        [eventPages, idsOf(events)],
        [recordPages, recordIds],
      ] as const) {
        expect((await pages({ limit: 3, bytes: 1_000_000 })).flat().toSorted()).toEqual(all.toSorted());
        expect(lengths(await pages({ limit: 3, bytes: 1_000_000 }))).toEqual([3, 3, 1]);
        expect((await pages({ limit: 10, bytes: 1 })).flat().toSorted()).toEqual(all.toSorted());
        expect(lengths(await pages({ limit: 10, bytes: 1 })).slice(0, 7)).toEqual([1, 1, 1, 1, 1, 1, 1]);
      }
      expect(lengths(await eventPages({ limit: 10, bytes: 3_500 }))).toEqual([4, 3]);
      expect(idsOf(await hub.findEvents(tenant, idsOf(events), 3_500))).toEqual(idsOf(events.slice(0, 4)));
      expect(await hub.findEvents(tenant, idsOf(events), 1)).toHaveLength(1);
      expect(await hub.findRecords(tenant, recordIds, 1)).toHaveLength(1);
      expect(await hub.findRecords(tenant, recordIds, 1_000_000)).toHaveLength(7);
    });

    test("several events are written in one call, each answered with its records", async () => {
      const events = [
        fixture.newEvent(),
        fixture.newEvent({ source: "chat" }),
        fixture.newEvent({ tenant: `${fixture.tenant} (other)` }),
        fixture.newEvent(),
      ];
      const planned = new Map(events.map(({ id }, index) => [id, index === 3 ? [] : [newRecord(`a ${index}`), newRecord(`b ${index}`)]]));
      const answers = await fixture.hub.createEvents(events, ({ id }) => planned.get(id) ?? []);
      expect(answers).toEqual(events.map((event) => (planned.get(event.id) ?? []).map((record) => madeRecord(event, record))));
      for (const [index, event] of events.entries()) {
        expect(await fixture.hub.recordsOf(event.tenant, event.id)).toEqual(answers[index]);
      }
      expect(await fixture.hub.createEvents([], planSome(1))).toEqual([]);
    });

    test("an event whose id exists writes nothing and is answered with the records it has", async () => {
      const event = fixture.newEvent();
      const [first = []] = await fixture.hub.createEvents([event], planSome(2));
      const [claimed] = await fixture.claim(new Date(event.receivedAt.getTime() + 1_000), { limit: 1 });
      const now = [claimed?.record, first[1]];
      const other = fixture.newEvent();
      const repeated = { ...event, content: "Changed" };
      const [, again, twice] = await fixture.hub.createEvents([other, repeated, repeated], planSome(1));
      expect([again, twice]).toEqual([now, now]);
      expect(await fixture.hub.recordsOf(fixture.tenant, event.id)).toEqual(now);
      expect((await list()).items).toEqual([unidentified(other), unidentified(event)]);
      const fresh = fixture.newEvent();
      const [one, two] = await fixture.hub.createEvents([fresh, fresh], planSome(3));
      expect([one?.length, two]).toEqual([3, one]);
      expect((await list()).total).toBe(3);
    });

    test("an id of another tenant's event is free", async () => {
      const event = await fixture.createEvent();
      const tenant = `${fixture.tenant} (other)`;
      await fixture.hub.createEvents([{ ...event, tenant, content: "Theirs" }], planSome(1));
      expect(await fixture.hub.findEvents(tenant, [event.id])).toMatchObject([{ tenant, content: "Theirs" }]);
      expect(await fixture.hub.findEvents(fixture.tenant, [event.id])).toMatchObject([{ content: "Content" }]);
      expect(await fixture.hub.recordsOf(fixture.tenant, event.id)).toEqual([]);
    });

    test("an event has no inbox item, and other notifications are no events", async () => {
      await fixture.createEvent();
      expect(await fixture.base.inbox.listTenant(fixture.tenant, 10)).toEqual([]);
      const { notification } = await fixture.base.create("ann", { source: "mail", actor: "u1" });
      const { id } = notification;
      expect(await fixture.hub.findEvents(fixture.tenant, [id])).toEqual([]);
      expect((await list()).total).toBe(1);
      const range = { since: new Date(0), limit: 10, bytes: 1_000_000 };
      expect((await fixture.hub.listEventsSince(fixture.tenant, "mail", range)).items).toHaveLength(1);
      expect(await fixture.hub.acknowledgeEvent(fixture.tenant, id, { client: "c", at: new Date() })).toBe(false);
      expect(await fixture.hub.recordsOf(fixture.tenant, id)).toEqual([]);
    });

    test("an event is acknowledged by any number of clients, again too, and only where it is", async () => {
      const { id } = await fixture.createEvent();
      const by = (client: string) => ({ client, at: new Date() });
      const acknowledge = (tenant: string, name: string, client: string) => fixture.hub.acknowledgeEvent(tenant, name, by(client));
      expect(await acknowledge(fixture.tenant, id, "one")).toBe(true);
      expect(await acknowledge(fixture.tenant, id, "two 😀")).toBe(true);
      expect(await Promise.all(["one", "one", "three", "three"].map((client) => acknowledge(fixture.tenant, id, client)))).toEqual(
        Array.from({ length: 4 }, () => true),
      );
      expect(await acknowledge("another", id, "one")).toBe(false);
      expect(await acknowledge(fixture.tenant, crypto.randomUUID(), "one")).toBe(false);
      expect(await acknowledge(fixture.tenant, "unknown", "one")).toBe(false);
    });

    test("records are found by their ids, by their tenant alone", async () => {
      const [one, two] = await fixture.createRecords(2);
      const { tenant, hub } = fixture;
      const named = [two?.id ?? "", "unknown", crypto.randomUUID(), one?.id.toUpperCase() ?? ""];
      const found = await hub.findRecords(tenant, named);
      expect([...found].sort((a, b) => a.prompt.localeCompare(b.prompt))).toEqual([one, two]);
      expect(await hub.findRecords("another", named)).toEqual([]);
      expect(await hub.findRecords(tenant, [])).toEqual([]);
      expect(await hub.recordsOf("another", one?.notificationId ?? "")).toEqual([]);
      expect(await hub.recordsOf(tenant, "unknown")).toEqual([]);
    });
  });
}
