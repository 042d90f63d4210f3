import {
  type Channel,
  type ContentMember,
  type DeliveryTask,
  defineTypes,
  NotificationService,
  type NotificationServiceOptions,
} from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { onEveryStorage } from "../on-every-storage.ts";
import { refusal } from "../refusal.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const DIRECTORY = new Map([
  ["ann", { mail: "ann@x.cc", hook: "https://ann.example", locale: "de" }],
  ["bob", { mail: "bob@x.cc", hook: "https://bob.example" }],
]);

const types = defineTypes({
  comment: {
    data: z.object({ author: z.string() }),
    title: ({ data }) => `By ${data.author}`,
    channels: {
      inbox: true,
      mail: {
        subject: ({ data, locale }) => `${locale}: ${data.author}`,
        html: async ({ user }) => `<p>${user?.id ?? "nobody"} of ${user?.tenant ?? "nowhere"}</p>`,
        text: "Plain",
      },
      hook: { title: ({ locale }) => `Hook in ${locale}`, url: "/hook", body: ({ data }) => ({ by: data.author }) },
    },
  },
  untitled: { channels: { mail: { subject: "Only a subject" }, hook: true } },
});
const data = { author: "eve" };

type Shown = Pick<DeliveryTask, "address" | "title" | "message" | "url" | "contents">;

function channel(name: string, tasks: Shown[], contents?: readonly ContentMember[]): Channel {
  return {
    name,
    ...(contents && { contents }),
    retryDelaysMs: [],
    timeoutMs: 5_000,
    invalidRecipient: (recipient) => (/[@:]/.test(recipient) ? null : "is no address"),
    async deliver({ address, title, message, url, contents: made }) {
      tasks.push({ address, title, message, url, contents: made });
      return { status: "delivered", provider: name };
    },
  };
}

onEveryStorage((database) => {
  function setUp(more: Partial<NotificationServiceOptions> = {}) {
    const tasks: Shown[] = [];
    const channels = [channel("mail", tasks, ["subject", "html", "text"]), channel("hook", tasks, ["body"])];
    const options = { storage: database.storage(), channels, directory: () => DIRECTORY, logger: silent, types, ...more };
    const service = stopsAfterTest(new NotificationService(options as NotificationServiceOptions));
    const delivered = async () => {
      await service.runDue();
      return new Map(tasks.map((task) => [task.address, task]));
    };
    return { service, delivered };
  }

  describe("what a type says over one channel", () => {
    test("is made for each recipient, with the user, in their language; the inbox and other channels have the type's texts", async () => {
      const { service, delivered } = setUp();
      await service.create({ to: ["ann", "bob", { mail: "eve@x.cc" }], type: "comment", data });
      const tasks = await delivered();
      const mail = (locale: string, html: string) => ({ title: "By eve", contents: { subject: `${locale}: eve`, html, text: "Plain" } });
      const hook = (locale: string) => ({ title: `Hook in ${locale}`, message: "", url: "/hook", contents: { body: { by: "eve" } } });
      expect(tasks.get("ann@x.cc")).toMatchObject(mail("de", "<p>ann of default</p>"));
      expect(tasks.get("bob@x.cc")).toMatchObject(mail("en", "<p>bob of default</p>"));
      expect(tasks.get("eve@x.cc")).toMatchObject(mail("en", "<p>nobody of nowhere</p>"));
      expect(tasks.get("https://ann.example")).toMatchObject(hook("de"));
      expect((await service.inbox("ann").list()).items).toMatchObject([{ title: "By eve", message: "", url: null }]);
    });

    test("stands whatever create gives, is enough to be delivered, and stays after an update", async () => {
      const { service } = setUp({ delivery: { worker: false } });
      const given = { title: "Mine", message: "Mine, too" };
      await service.create({ to: "ann", type: "comment", data, channels: ["mail"], ...given });
      const { notification } = await service.create({ to: "bob", type: "untitled", channels: ["mail"] });
      await service.update(notification.id, { data: { changed: true } });
      expect((await refusal(service.create({ to: "bob", type: "untitled" }))).issues[0]).toMatchObject({ path: ["message"] });
      const tasks = await setUp().delivered();
      expect(tasks.get("ann@x.cc")).toMatchObject({ ...given, contents: { subject: "de: eve" } });
      expect(tasks.get("bob@x.cc")).toMatchObject({ title: "", contents: { subject: "Only a subject" } });
    });

    test("is not for what a contract creates: its senders write all of it", async () => {
      const { service, delivered } = setUp();
      const channels = ["mail", "hook"];
      const to = [{ mail: "ann@x.cc" }, { hook: "https://x.example" }];
      await service.trackFromContract({ to, type: "untitled", title: "Theirs", channels });
      const task = { title: "Theirs", contents: null };
      const tasks = await delivered();
      expect([tasks.get("ann@x.cc"), tasks.get("https://x.example")]).toMatchObject([task, task]);
    });

    test("fails the attempt where a function throws or makes what cannot be delivered", async () => {
      const broken = {
        throwing: { channels: { mail: { html: () => JSON.parse("no JSON") } } },
        numeric: { channels: { mail: { text: () => 7 } } },
        unsafe: { channels: { hook: { url: async () => "javascript:alert(1)" } } },
        listing: { channels: { hook: { body: () => [1] } } },
      };
      const { service, delivered } = setUp({ types: broken as never });
      const errors: (string | null | undefined)[] = [];
      for (const type of Object.keys(broken)) {
        const { notification } = await service.create({ to: "ann", type, message: "x" });
        expect(await delivered()).toEqual(new Map());
        const { deliveries } = await service.deliveries(notification.id);
        errors.push(deliveries[0]?.attempts[0]?.error);
      }
      expect(errors).toEqual([
        expect.stringMatching(/^The function html for the channel "mail" of the type "throwing" threw: /),
        'The function text for the channel "mail" of the type "numeric" made what cannot be delivered: expected a string, got number.',
        expect.stringMatching(/^The function url for the channel "hook" .* must be a path/),
        expect.stringMatching(/^The function body for the channel "hook" .* expected a JSON object, got an array/),
      ]);
    });
  });
});

describe("a service refuses a type whose channel", () => {
  const channels = [channel("mail", [], ["subject", "html", "text"]), channel("sms", [])];
  test.each([
    [{ sms: { html: "<p>" } }, 'cannot take html of the type "comment": the channel sms takes title, message, url'],
    [{ mail: { body: {} } }, "the channel mail takes title, message, url, subject, html, text"],
    [{ mail: { subject: 7 } }, "expected a string, got number"],
    [{ mail: { url: "javascript:alert(1)" } }, "must be a path"],
    [{ mail: { subjekt: "x" } }, "subjekt"],
    [{ inbox: { title: "x" } }, "title"],
  ])("has %j", (declared, message) => {
    const options = { storage: sqliteStorage(":memory:"), channels, types: { comment: { channels: declared } } };
    expect(() => new NotificationService(options as never)).toThrow(message);
  });
});
