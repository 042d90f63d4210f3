import { type Channel, type DeliveryTask, defineTypes, NotificationService, type NotificationServiceOptions } from "@belfry/core";
import { testClock } from "@belfry/testkit/host";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { onEveryStorage } from "../on-every-storage.ts";
import { refusal } from "../refusal.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const WORDS: Readonly<Record<string, string>> = { en: "Comment by", de: "Kommentar von", fr: "Commentaire de" };

function word(locale: string): string {
  const text = WORDS[new Intl.Locale(locale).language];
  if (text === undefined) {
    throw new Error(`no texts in ${locale}`);
  }
  return text;
}

const types = defineTypes({
  comment: {
    data: z.object({ author: z.string() }),
    title: ({ data, locale }) => `${word(locale)} ${data.author}`,
    message: async ({ locale }) => `in ${locale}`,
    url: ({ locale }) => `/${locale}/posts`,
  },
  fixed: { title: "Hello" },
});
const comment = { type: "comment", data: { author: "eve" } } as const;
const german = { title: "Kommentar von eve", message: "in de", url: "/de/posts" };
const english = { title: "Comment by eve", message: "in en", url: "/en/posts" };
const LOCALES: Readonly<Record<string, string>> = { ann: "de", bob: "tlh" };

onEveryStorage((database) => {
  /** A service whose users have languages, with the tasks of its channel. */
  function setUp(more: Partial<NotificationServiceOptions> = {}) {
    const tasks: Pick<DeliveryTask, "title" | "message" | "url">[] = [];
    const mail: Channel = {
      name: "mail",
      retryDelaysMs: [],
      timeoutMs: 5_000,
      invalidRecipient: (recipient) => (recipient.includes("@") ? null : "is no address"),
      async deliver({ title, message, url }) {
        tasks.push({ title, message, url });
        return { status: "delivered", provider: "mail" };
      },
    };
    const directory = (ids: readonly string[]) => new Map(ids.map((id) => [id, { mail: `${id}@x.cc`, ...localeOf(id) }]));
    const options = { storage: database.storage(), channels: [mail], directory, logger: silent, types, ...more };
    return { tasks, service: stopsAfterTest(new NotificationService(options)) };
  }

  function localeOf(id: string) {
    return LOCALES[id] === undefined ? {} : { locale: LOCALES[id] };
  }

  describe("texts that functions of a type made", () => {
    test("are delivered in the language of each recipient, and stored in the service's", async () => {
      const { tasks, service } = setUp();
      const to = ["ann", "carl", { mail: "dan@x.cc" }];
      const { notification } = await service.create({ ...comment, to, channels: ["mail", "inbox"] });
      await service.runDue();
      expect(tasks.toSorted((one, other) => (one.title < other.title ? -1 : 1))).toEqual([english, english, german]);
      expect([notification, await service.get(notification.id)]).toMatchObject([english, english]);
      expect((await service.inbox("ann").list()).items).toMatchObject([english]);
    });

    test("give way to those of create, of a type without functions, and of an update, in deliveries and lists", async () => {
      const idle = setUp({ delivery: { worker: false } }).service;
      const to = { to: "ann", channels: ["inbox", "mail"] };
      await idle.create({ ...to, ...comment, title: "Mine", url: "/mine" });
      await idle.create({ ...to, type: "fixed" });
      const { notification } = await idle.create({ ...to, ...comment });
      await idle.update(notification.id, { message: "Changed" });
      const [changed, fixed] = [
        { ...german, message: "Changed" },
        { title: "Hello", message: "", url: null },
      ];
      const given = { title: "Mine", message: "in de", url: "/mine" };
      const { items } = await idle.inbox("ann").list({ locale: "de" });
      expect(items).toMatchObject([changed, fixed, given]);
      const { tasks, service } = setUp();
      await service.runDue();
      expect(tasks).toHaveLength(3);
      expect(tasks).toEqual(expect.arrayContaining([changed, fixed, given]));
      expect(await service.get(notification.id)).toMatchObject({ ...english, message: "Changed" });
    });

    test("follow new data, and an update with data that they cannot take is refused", async () => {
      const idle = setUp({ delivery: { worker: false } }).service;
      const { notification } = await idle.create({ ...comment, to: "ann", channels: ["inbox", "mail"] });
      const updated = await idle.update(notification.id, { data: { author: "bob" }, message: "Mine" });
      expect(updated).toMatchObject({ ...english, title: "Comment by bob", message: "Mine" });
      const refusing = defineTypes({ comment: { title: () => JSON.parse("no JSON") } });
      const other = setUp({ delivery: { worker: false }, types: refusing as never }).service;
      expect(await refusal(other.update(notification.id, { data: { author: "carl" } }))).toMatchObject({ code: "RENDERING_FAILED" });
      await other.update(notification.id, { data: { author: "dan" }, title: "Mine, too" });
      expect((await idle.inbox("ann").list({ locale: "de" })).items).toMatchObject([
        { title: "Mine, too", message: "Mine", url: "/de/posts", data: { author: "dan" } },
      ]);
    });

    test("fail the attempt where a function throws or hangs, and are delivered once it does not", async () => {
      let isBroken = true;
      const slow = defineTypes({
        throwing: { title: ({ locale }) => (isBroken && locale === "de" ? JSON.parse("no JSON") : word(locale)) },
        hanging: { title: ({ locale }) => (isBroken && locale === "de" ? new Promise<string>(() => {}) : word(locale)) },
      });
      const clock = testClock(new Date());
      const { tasks, service } = setUp({ types: slow as never, clock });
      const create = async (type: string) => (await service.create({ type, to: "ann", channels: ["mail"] })).notification;
      const made = [await create("throwing"), await create("hanging")];
      const attempts = async () =>
        Promise.all(made.map(async ({ id }) => (await service.deliveries(id)).deliveries.flatMap((one) => one.attempts)));
      expect(await clock.until(async () => (await attempts()).every((one) => one.length === 1))).toBe(true);
      const failed = { status: "failed", isTransient: true };
      expect(await attempts()).toMatchObject([
        [{ ...failed, error: expect.stringMatching(/^The function title of the type "throwing" threw: /) }],
        [{ ...failed, error: "The functions of the type rendered nothing within 5000 ms." }],
      ]);
      expect(tasks).toEqual([]);
      isBroken = false;
      for (const { id } of made) {
        await service.retry(id);
      }
      await expect.poll(() => tasks.length).toBe(2);
      expect(tasks).toMatchObject([{ title: "Kommentar von" }, { title: "Kommentar von" }]);
    });

    test("in a list of another language are the stored ones where a function fails, which is logged once a minute", async () => {
      const warn = vi.fn();
      const { service } = setUp({ logger: { ...silent, warn } });
      for (let index = 0; index < 3; index += 1) {
        await service.create({ ...comment, to: "ann" });
      }
      expect((await service.inbox("ann").list({ locale: "tlh" })).items).toMatchObject([english, english, english]);
      expect(warn.mock.calls).toMatchObject([[{ type: "comment", locale: "tlh", err: { code: "RENDERING_FAILED" } }, expect.any(String)]]);
      expect((await service.inbox("ann").list({ locale: "de", limit: 2 })).items).toMatchObject([german, german]);
    });

    test("are as stored where the type has no such function any more, and a list refuses what is no language", async () => {
      const { service } = setUp();
      await service.create({ ...comment, to: "ann" });
      const later = setUp({ types: defineTypes({ comment: { title: "A comment" } }) }).service;
      expect((await later.inbox("ann").list({ locale: "de" })).items).toMatchObject([{ ...english, title: "A comment" }]);
      const none = setUp({ types: {} as never }).service;
      expect((await none.inbox("ann").list({ locale: "de" })).items).toMatchObject([english]);
      expect((await refusal(service.inbox("ann").list({ locale: "de_DE" }))).issues[0]?.path).toEqual(["locale"]);
      const stored = async () => service.inbox("ann").listStored({ locale: "de" } as never);
      expect((await refusal(stored())).code).toBe("VALIDATION_ERROR");
    });
  });
});
