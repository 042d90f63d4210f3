import { type Channel, type DeliveryTask, defineTypes, NotificationService, type NotificationServiceOptions } from "@belfry/core";
import { type TestClock, testClock } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { onEveryStorage } from "../on-every-storage.ts";
import { refusal } from "../refusal.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

/** A channel that reaches everybody, and keeps its tasks. */
function mailChannel(): Channel & { readonly tasks: DeliveryTask[] } {
  const tasks: DeliveryTask[] = [];
  return {
    name: "mail",
    tasks,
    retryDelaysMs: [],
    timeoutMs: 5_000,
    invalidRecipient: () => null,
    async deliver(task) {
      tasks.push(task);
      return { status: "delivered", provider: "mail" };
    },
  };
}

const GREETINGS: Readonly<Record<string, string>> = { en: "Comment by", de: "Kommentar von" };

const types = defineTypes({
  comment: {
    data: z.object({ postId: z.number(), author: z.string(), at: z.date().optional() }),
    title: ({ data, locale }) => `${GREETINGS[locale]} ${data.author}`,
    message: async ({ data }) => `On post ${data.postId}, at ${typeof data.at}`,
    url: ({ data }) => `/posts/${data.postId}`,
  },
  fixed: { title: "Hello", message: "There", url: "/hello" },
  bare: {},
});
const data = { postId: 7, author: "eve" };
const rendered = { title: "Comment by eve", message: "On post 7, at undefined", url: "/posts/7" };

onEveryStorage((database) => {
  describe("the texts of a type", () => {
    function setUp<Types extends NonNullable<NotificationServiceOptions["types"]>>(more: {
      readonly types: Types;
      readonly clock?: TestClock;
    }) {
      const mail = mailChannel();
      const service = stopsAfterTest(new NotificationService({ storage: database.storage(), channels: [mail], ...more }));
      return { mail, service: service as unknown as NotificationService };
    }

    test.each([{ channels: ["inbox"] }, { channels: ["inbox", "mail"] }])(
      "are stored where create gives none, over $channels",
      async ({ channels }) => {
        const { mail, service } = setUp({ types });
        const { notification } = await service.create({ to: "ann", type: "comment", channels, data });
        expect(notification).toMatchObject(rendered);
        await service.create({ to: "ann", type: "fixed", channels });
        await service.create({ to: "ann", type: "bare", channels, message: "x" });
        const { items } = await service.inbox("ann").list();
        const fixed = { title: "Hello", message: "There", url: "/hello" };
        expect(items).toMatchObject([{ title: "", message: "x", url: null }, fixed, rendered]);
        await service.runDue();
        const delivered = mail.tasks
          .map(({ title, message, url }) => ({ title, message, url }))
          .toSorted((a, b) => (a.title < b.title ? -1 : 1));
        expect(delivered).toEqual(channels.length === 1 ? [] : [{ title: "", message: "x", url: null }, rendered, fixed]);
      },
    );

    test.each(["ann", { mail: "ann@x.cc" }])("give way to those that create gives, empty ones too, for %j", async (to) => {
      const { service } = setUp({ types });
      const given = { title: "Mine", message: "", url: "/mine" };
      const { notification } = await service.create({ to, type: "comment", data, ...given });
      expect(notification).toMatchObject(given);
      const part = await service.create({ to, type: "comment", data, message: "Mine" });
      expect(part.notification).toMatchObject({ ...rendered, message: "Mine" });
    });

    test("are in the service's language, and know the data as it is stored", async () => {
      const service = stopsAfterTest(new NotificationService({ storage: database.storage(), types, locale: "de" }));
      const { notification } = await service.create({ to: "ann", type: "comment", data: { ...data, at: new Date(0) } });
      expect(notification).toMatchObject({ title: "Kommentar von eve", message: "On post 7, at string" });
    });

    test("are in what is prepared, and in what a contract creates", async () => {
      const { service } = setUp({ types });
      const batch = await service.prepare({ to: "ann", type: "comment", data });
      expect(batch.notification).toMatchObject(rendered);
      await database.transaction((tx) => batch.write(tx));
      const created = await service.createFromContract({ to: "ann", type: "comment", data });
      expect(created.notification).toMatchObject(rendered);
      expect((await service.inbox("ann").list()).items).toMatchObject([rendered, rendered]);
    });

    test("repeat with their key, whatever the type says by then", async () => {
      const calls: string[] = [];
      const counting = { count: { title: ({ locale }: { readonly locale: string }) => `Number ${calls.push(locale)}` } };
      const { service } = setUp({ types: counting });
      const input = { to: "ann", type: "count", idempotencyKey: "k" };
      const [first, second] = [await service.create(input), await service.create(input)];
      expect([second.notification.id, second.notification.title]).toEqual([first.notification.id, "Number 1"]);
    });

    const bad: readonly (readonly [string, "title" | "message" | "url", unknown, string])[] = [
      ["throws", "title", () => Promise.reject(new Error("no such key")), "threw: no such key"],
      [
        "throws at once",
        "message",
        () => {
          throw new Error("no such key");
        },
        "threw: no such key",
      ],
      ["makes nothing", "title", () => undefined, "expected a string, got undefined"],
      ["makes something else", "message", async () => ({}), "expected a string, got object"],
      ["makes a title that is too long", "title", () => "x".repeat(1_001), "must have at most 1000 characters, has 1001"],
      ["makes an unsafe link", "url", async () => "javascript:alert(1)", "must be a path, or begin with https://"],
    ];
    test.each(bad)("refuse the create where a function %s, and nothing is written", async (_, member, render, message) => {
      // The others succeed, or fail too, at the same time.
      const late = async () => Promise.reject(new Error("late"));
      const { service } = setUp({ types: { bad: { url: late, ...{ [member]: render } }, good: {} } as never });
      for (const to of ["ann", { mail: "mail 1" }]) {
        const input = { to, type: "bad", ...(member === "url" ? {} : { url: "/" }) };
        const error = await refusal(service.create(input));
        expect(error).toMatchObject({ code: "RENDERING_FAILED", details: { type: "bad", member } });
        expect(error.message).toContain(`The function ${member} of the type "bad" `);
        expect(error.message).toContain(message);
        expect((await refusal(service.create({ to, type: "bad" }))).code).toBe("RENDERING_FAILED");
      }
      expect([await service.inbox("ann").counts(), await service.list()]).toMatchObject([{ total: 0 }, { total: 0 }]);
    });

    test("may have two lines for the inbox alone; a function that makes two for a channel refuses the create", async () => {
      const { service } = setUp({ types: { two: { title: () => "A\nB" }, plain: { title: "A\nB" } } });
      expect((await service.create({ to: "ann", type: "two" })).notification.title).toBe("A\nB");
      const { code, message } = await refusal(service.create({ to: "ann", type: "two", channels: ["mail"] }));
      expect(code).toBe("RENDERING_FAILED");
      expect(message).toBe('The function title of the type "two" made what cannot be stored: must be one line. Nothing is written.');
      // No function made it: the call asks for a channel that the type did not have.
      expect((await refusal(service.create({ to: "ann", type: "plain", channels: ["mail"] }))).code).toBe("VALIDATION_ERROR");
    });

    test("refuse the create where a function hangs", async () => {
      const clock = testClock();
      const { service } = setUp({ types: { slow: { title: () => new Promise<string>(() => {}) } }, clock });
      const refused = refusal(service.create({ to: "ann", type: "slow" }));
      await expect.poll(() => clock.pending).toBeGreaterThan(0);
      await clock.pass(5_000);
      const { code, message } = await refused;
      expect([code, message]).toEqual([
        "RENDERING_FAILED",
        'The function title of the type "slow" took longer than 5000 ms. Nothing is written.',
      ]);
      expect(await service.inbox("ann").counts()).toMatchObject({ total: 0 });
    });
  });
});
