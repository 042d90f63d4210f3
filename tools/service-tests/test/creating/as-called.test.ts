import { defineTypes, NotificationService } from "@belfry/core";
import { recorder } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

/** What a host has of its own: JSON has the text of it. */
class Price {
  cents: number;

  constructor(cents: number) {
    this.cents = cents;
  }

  toJSON() {
    return `${this.cents} cents`;
  }
}

/** Things that change, and how JSON has them. */
const thing = z.custom<{ readonly at: Date }>(() => true);
const scores = z.map(z.string(), z.set(z.number())).transform((map) => [...map].map(([name, set]) => [name, ...set]));

const types = defineTypes({
  plain: {},
  rendered: { title: ({ data }) => `About ${JSON.stringify(data)}` },
  looked: { data: z.object({ tags: z.array(z.string()) }).refine(async () => true) },
  mailed: { channels: ["inbox", "email"] },
  seen: { data: thing },
  mailedAsSeen: { data: thing, channels: ["inbox", "email"] },
  seenLater: { data: thing.refine(async () => true) },
  mailedAsSeenLater: { data: thing.refine(async () => true), channels: ["inbox", "email"] },
  dated: { data: z.object({ at: z.date() }) },
  notification: { data: z.object({ at: z.date() }) },
  made: { data: z.object({ scores }).refine(async () => true) },
  mailedAsMade: { data: z.object({ scores }), channels: ["inbox", "email"] },
});

const FEW = ["ann", "bob", "cid"];
/** So many are looked at in pieces. */
const MANY = [...Array.from({ length: 5_998 }, (_, index) => `user_${index}`), ...FEW];

onEveryStorage((database) => {
  function serviceOn() {
    const directory = (ids: readonly string[]) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }]));
    const options = { storage: database.storage(), channels: [recorder()], types, directory, logger: silent };
    return stopsAfterTest(new NotificationService(options));
  }

  describe("a create is what its call said, whatever the caller does with its objects meanwhile", () => {
    const calls = [
      ...["plain", "rendered", "looked", "mailed"].map((type) => {
        return { type, whom: "three users", audience: { to: [...FEW], except: ["bob"] } };
      }),
      ...["plain", "rendered", "looked"].map((type) => ({
        type,
        whom: "a long list of users",
        audience: { to: [...MANY], except: ["bob"] },
      })),
      ...["plain", "mailed"].map((type) => ({ type, whom: "a topic", audience: { topic: ["news"], except: ["bob"] } })),
      { type: "plain", whom: "everyone", audience: { to: "everyone", except: ["bob"] } },
    ];

    test.each(calls)("of the type $type to $whom", async ({ type, audience }) => {
      const service = serviceOn();
      await Promise.all(FEW.map((userId) => service.topics.subscribe("news", userId)));
      const input = {
        type,
        ...audience,
        message: "Said",
        url: "/said",
        data: { tags: ["said"] },
        roomId: "said",
        actions: [{ label: "Said", url: "/said" }],
        expiresAt: new Date("2100-01-01"),
      };
      const creating = service.create(input as { readonly type: "plain"; readonly to: readonly string[] });
      input.except.splice(0, 1, "ann");
      for (const list of Object.values(audience)) {
        if (Array.isArray(list) && list !== input.except) {
          list.length = 0;
        }
      }
      input.message = "Not said";
      input.url = "/not-said";
      input.data.tags.push("more");
      input.roomId = "another";
      input.actions.pop();
      input.expiresAt.setTime(0);
      await creating;
      await service.runDue();
      const ofAll = await Promise.all(FEW.map((userId) => service.inbox(userId).list()));
      expect(ofAll.map(({ items }) => items.length)).toEqual([1, 0, 1]);
      const [{ items } = { items: [] }] = ofAll;
      expect(items).toMatchObject([
        {
          ...{ message: "Said", url: "/said", data: { tags: ["said"], room_id: "said" } },
          ...{ actions: [{ label: "Said", url: "/said" }], expiresAt: new Date("2100-01-01") },
        },
      ]);
    });
  });

  const audiences = [
    { whom: "a user", to: () => "ann" },
    { whom: "a long list of users", to: () => [...MANY] },
    { whom: "everyone", to: () => "everyone" },
  ];

  describe.each(audiences)(
    "what JSON has of the data of a call for $whom is stored as it was, whatever becomes of the objects",
    ({ whom, to }) => {
      /** Those with deliveries as well for a user: a long list of mails takes its time, and everyone is for whom pages them. */
      const of = (...names: readonly string[]) => names.filter((name) => whom === "a user" || !name.startsWith("mailed"));

      async function stored(service: ReturnType<typeof serviceOn>, type: string, data: object, change: () => void): Promise<unknown> {
        // Who began after a broadcast does not get it.
        await service.topics.subscribe("news", "ann");
        const creating = service.create({ type, to: to(), data } as unknown as { readonly type: "plain"; readonly to: string });
        change();
        await creating;
        await service.runDue();
        const { items } = await service.inbox("ann").list();
        expect(items).toHaveLength(1);
        return items[0]?.data;
      }

      test.each(of("plain", "mailed", "seen", "mailedAsSeen"))("of the type %s", async (type) => {
        const data = { at: new Date(0), link: new URL("https://example.com/said"), bytes: Buffer.from("said"), price: new Price(1) };
        const said: unknown = JSON.parse(JSON.stringify(data));
        const change = () => {
          data.at.setTime(1);
          data.link.pathname = "/not-said";
          data.bytes.fill(0);
          data.price.cents = 2;
        };
        expect(await stored(serviceOn(), type, data, change)).toEqual(said);
      });

      test.each(of("seenLater", "mailedAsSeenLater"))("of the type %s, whose schema takes its time", async (type) => {
        const data = {
          at: new Date(0),
          link: new URL("https://example.com/said"),
          bytes: Buffer.from("said"),
          numbers: new Uint8Array([1]),
        };
        const said: unknown = JSON.parse(JSON.stringify(data));
        const change = () => {
          data.at.setTime(1);
          data.link.pathname = "/not-said";
          data.bytes.fill(0);
          data.numbers[0] = 2;
        };
        expect(await stored(serviceOn(), type, data, change)).toEqual(said);
      });

      test.each(of("made", "mailedAsMade"))("of the type %s, whose schema makes JSON of them", async (type) => {
        const ann = new Set([1]);
        const map = new Map([["ann", ann]]);
        const change = () => {
          ann.add(2);
          map.set("bob", new Set([3]));
        };
        expect(await stored(serviceOn(), type, { scores: map }, change)).toEqual({ scores: [["ann", 1]] });
      });
    },
  );

  const dated = [
    { whom: "a long list of users, whose list is looked at in pieces", type: "dated", to: MANY },
    { whom: "an address", type: "dated", to: { email: "ann@example.com" } },
    { whom: "an address, of the type that stands for none", type: undefined, to: { email: "ann@example.com" } },
    { whom: "everyone, of the type that stands for none", type: undefined, to: "everyone" },
  ];

  test.each(dated)("a schema is given what the call said, and not the JSON of it, for $whom", async ({ type, to }) => {
    const at = new Date("2100-01-01");
    const { notification } = await serviceOn().prepare({ type, to, data: { at } } as never);
    expect(notification.data).toEqual({ at: at.toJSON() });
  });

  test.each([
    { whom: "a user", to: "ann", more: {} },
    { whom: "a user, later", to: "ann", more: { scheduledAt: new Date("2100-01-01") } },
    { whom: "a long list of users", to: MANY, more: {} },
    { whom: "everyone", to: "everyone", more: {} },
  ])("an object of a class says what it inherits, too, for $whom", async ({ to, more }) => {
    class Welcome {
      readonly to = to;
      readonly type = "plain";
      readonly #name = "Ann";
      get title() {
        return `Welcome, ${this.#name}`;
      }
    }
    const { notification } = await serviceOn().prepare(Object.assign(new Welcome(), more));
    expect(notification).toMatchObject({ type: "plain", title: "Welcome, Ann" });
  });

  test("the addresses of a long list are those of the call", async () => {
    const service = serviceOn();
    const to = Array.from({ length: 5_001 }, (_, index) => ({ email: `u${index}@example.com` }));
    const creating = service.create({ type: "plain", to, message: "Hello", scheduledAt: new Date("2100-01-01") });
    for (const address of to) {
      address.email = "other@example.com";
    }
    const { notification } = await creating;
    await service.runDue();
    const { deliveries, total } = await service.deliveries(notification.id, { limit: 1_000 });
    expect(total).toBe(5_001);
    expect(deliveries.filter(({ recipient }) => recipient === "other@example.com")).toEqual([]);
  });

  test("two calls of one key whose data differ in an object of a class are two", async () => {
    const service = serviceOn();
    const create = (path: string) =>
      service.create({ type: "plain", to: "ann", idempotencyKey: "one", data: { link: new URL(path, "https://example.com") } } as never);
    const { notification } = await create("/one");
    expect((await create("/one")).notification.id).toBe(notification.id);
    await expect(create("/two")).rejects.toMatchObject({ code: "IDEMPOTENCY_KEY_REUSED" });
  });
});
