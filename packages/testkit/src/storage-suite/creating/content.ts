import type { JsonObject, Notification } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { at, itemOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";

function nested(levels: number): JsonObject {
  let value: JsonObject = { bottom: [] };
  for (let level = 1; level < levels; level += 1) {
    value = level % 2 === 0 ? { in: value } : { in: [value] };
  }
  return value;
}

const HOSTILE = '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"toString":1,"in":[{"__proto__":[]}]}';

/** A notification's content comes back as it was given. */
export function contentTests(harness: StorageHarness): void {
  describe("content", () => {
    const fixture = useFixture(harness);

    const texts: readonly [name: string, text: string][] = [
      ["nothing", ""],
      ["a space", " "],
      ["white space around it", "\t two lines\r\nand an end \n"],
      ["control characters", "\u0001\u0008\u001b\u001f\u007f\u0085\u2028\u2029\ufeff\uffff"],
      ["quotes and comments", `'; DROP TABLE belfry_notifications; -- " \` \\ $1 ? :a %s {{x}}`],
      ["letters outside of the first plane", "𝒶😀👩‍👩‍👧‍👦🏳️‍🌈".repeat(30)],
      ["letters composed or not", "\u00e9 e\u0301 \u1112\u1161\u11ab 한"],
      ["right to left", "שלום \u202e مرحبا"],
      ["what reads as JSON", '{"a":[null]}'],
      ["1,000 wide characters", "😀".repeat(1_000)],
    ];

    test.each(texts)("a title and a message of %s", async (_, text) => {
      const { notification } = await fixture.create("ann", { title: text, message: text });
      const item = await fixture.inbox.get(fixture.owner("ann"), notification.id);
      expect(item).toEqual(itemOf(notification, { userId: "ann", seq: 1 }));
      expect([item?.title, item?.message]).toEqual([text, text]);
    });

    test("a message of 10,000 wide characters", async () => {
      const message = "𝒶".repeat(10_000);
      const { notification } = await fixture.create("ann", { message });
      expect((await fixture.inbox.get(fixture.owner("ann"), notification.id))?.message).toBe(message);
    });

    const documents: readonly [name: string, data: JsonObject][] = [
      ["nothing", {}],
      ["every kind of value", { text: "x", number: 1.5, yes: true, no: false, nothing: null, list: [1, "2", null, [], {}], object: {} }],
      ["members in an order of their own", { zebra: 1, apple: 2, Zebra: 3, aa: 4, b: 5, 中: 6, "": 7, "a b": 8 }],
      [
        "numbers to their last digit",
        { list: [0.1, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, Number.MAX_SAFE_INTEGER, -1, 123456789.123] },
      ],
      ["texts outside of ASCII", { "ключ 😀": "знач\u2028ение\u0001", quote: '"\\/' }],
      ["60 levels", nested(60)],
      ["names that JavaScript objects have anyway", JSON.parse(HOSTILE) as JsonObject],
      ["200 KiB", { text: "x".repeat(200 * 1024) }],
      ["2,000 members", Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`member ${index}`, index]))],
    ];

    test.each(documents)("data of %s", async (_, data) => {
      const { notification } = await fixture.create("ann", { data });
      const owner = fixture.owner("ann");
      const read = [
        await fixture.inbox.get(owner, notification.id),
        (await fixture.inbox.list(owner, { status: "all", limit: 1 })).items[0],
        (await fixture.inbox.listAfter(owner, 0, { limit: 1, bytes: 1_000_000 })).items[0],
        (await fixture.inbox.listTenant(fixture.tenant, 1))[0],
        (await fixture.inbox.markRead(owner, [notification.id], at(1))).items[0],
      ];
      for (const item of read) {
        expect(JSON.stringify(item?.data)).toBe(JSON.stringify(data));
      }
    });

    test("a member called __proto__ is data and changes no object's prototype", async () => {
      const { notification } = await fixture.create("ann", { data: JSON.parse(HOSTILE) as JsonObject });
      const data = (await fixture.inbox.get(fixture.owner("ann"), notification.id))?.data ?? {};
      expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
      expect(Object.hasOwn(data, "__proto__")).toBe(true);
      expect(data.admin).toBeUndefined();
      expect(({} as { admin?: boolean }).admin).toBeUndefined();
    });

    test.each<[string, Partial<Notification>]>([
      ["absent", { source: null, actor: null }],
      ["empty", { source: "", actor: "" }],
      ["given", { source: "shop", actor: "eve" }],
    ])("a source and an actor that are %s", async (_, fields) => {
      const { notification } = await fixture.create("ann", fields);
      expect(await fixture.inbox.get(fixture.owner("ann"), notification.id)).toMatchObject(fields);
    });

    test("times keep their milliseconds", async () => {
      for (const time of [1, 999, 1_000, Date.UTC(2026, 1, 28, 23, 59, 59, 999), Date.UTC(2199, 11, 31, 23, 59, 59, 1)]) {
        const { notification } = await fixture.create("ann", { createdAt: new Date(time) });
        const { items } = await fixture.inbox.markRead(fixture.owner("ann"), [notification.id], new Date(time + 1));
        expect(items).toMatchObject([{ createdAt: new Date(time), readAt: new Date(time + 1) }]);
      }
    });

    test("notifications of every kind make items alike, which name the kind", async () => {
      for (const kind of ["message", "send", "event"] as const) {
        const { notification, items } = await fixture.create("ann", { kind });
        const expected = itemOf(notification, { userId: "ann", seq: items[0]?.seq ?? 0 });
        expect(await fixture.inbox.get(fixture.owner("ann"), notification.id)).toStrictEqual(expected);
      }
    });

    test("later changes to the caller's objects do not change the stored ones", async () => {
      const data = { list: [1], in: { a: 1 } };
      const recipients = ["ann"];
      const entry = { notification: { ...fixture.entry("ann").notification, data, createdAt: at(1) }, recipients };
      const readAt = at(2);
      await fixture.inbox.createMany([entry]);
      await fixture.inbox.markRead(fixture.owner("ann"), [entry.notification.id], readAt);
      data.list.push(2);
      data.in.a = 2;
      recipients.push("bob");
      entry.notification.createdAt.setTime(0);
      readAt.setTime(0);
      const expected = { data: { list: [1], in: { a: 1 } }, createdAt: at(1), readAt: at(2) };
      expect(await fixture.inbox.get(fixture.owner("ann"), entry.notification.id)).toMatchObject(expected);
    });

    test("changes to a returned item do not change the stored one", async () => {
      const { notification } = await fixture.create("ann", { data: { list: [1] } });
      const owner = fixture.owner("ann");
      await fixture.inbox.markAllRead(owner, at(1));
      const before = structuredClone(await fixture.inbox.get(owner, notification.id));
      const item = await fixture.inbox.get(owner, notification.id);
      item?.createdAt.setTime(0);
      item?.readAt?.setTime(0);
      // Both fail on frozen data, which is as good.
      Reflect.set((item?.data.list as object | undefined) ?? {}, 0, "changed");
      Reflect.set(item?.data ?? {}, "list", "changed");
      expect(await fixture.inbox.get(owner, notification.id)).toEqual(before);
    });

    test("options and queries are left as they were given", async () => {
      await fixture.fill("ann", 2);
      const query = Object.freeze({ status: "all", limit: 1, offset: 1 } as const);
      const refs = Object.freeze([Object.freeze({ seq: 1 })]);
      const owner = Object.freeze(fixture.owner("ann"));
      expect((await fixture.inbox.list(owner, query)).items).toHaveLength(1);
      expect((await fixture.inbox.markRead(owner, refs, Object.freeze(at(1)))).changed.size).toBe(1);
      const entry = fixture.entry("ann");
      Object.freeze(entry.recipients);
      Object.freeze(entry.notification);
      await fixture.inbox.createMany(Object.freeze([Object.freeze(entry)]));
      expect(await fixture.inbox.counts(owner)).toMatchObject({ total: 3 });
    });
  });
}
