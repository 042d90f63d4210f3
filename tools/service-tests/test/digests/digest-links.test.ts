import { type Directory, defineTypes, NotificationService } from "@belfry/core";
import { createHandler } from "@belfry/core/http";
import { recorder, testClock } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const DAY_MS = 24 * 3_600_000;
const PUBLIC_URL = "https://mail.example";

const types = defineTypes({
  comment: { label: "Comment", category: "social", channels: ["email"] },
  mention: { label: "Mention", category: "social", channels: ["email"] },
  report: { label: "Weekly report", channels: ["email"] },
  invoice: { label: "Invoice", category: "billing", channels: ["email"], required: true },
  bundled: {
    label: "Answer",
    category: "social",
    channels: { email: { digest: { windowMs: 60_000, maxItems: 1, text: ({ unsubscribeUrl }) => String(unsubscribeUrl) } } },
  },
});
type Type = keyof typeof types;

const directory: Directory = (ids) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }]));

onEveryStorage((database) => {
  function setUp() {
    const clock = testClock(new Date("2030-01-09T12:30:00Z"));
    const mails = recorder();
    const links = { publicUrl: PUBLIC_URL, linkSecret: "a secret of this test, at least 32 characters long" };
    const options = { storage: database.storage(), clock, types, channels: [mails], directory, logger: silent, ...links };
    const service = stopsAfterTest(new NotificationService(options));
    const handler = createHandler(service, { contracts: [] });

    /** The link in the mail of a digest of some types. */
    async function linkOf(given: readonly Type[], group?: string): Promise<string> {
      for (const type of given) {
        await service.create({ type, to: "ann", title: `A ${type}`, message: "World", ...(group === undefined ? {} : { group }) });
      }
      mails.clear();
      await service.runDue();
      await clock.skip(DAY_MS);
      await service.runDue();
      expect(mails.tasks.map(({ digest }) => digest?.total)).toEqual([given.length]);
      return mails.tasks[0]?.unsubscribeUrl ?? "none";
    }

    async function ask(url: string, body?: string) {
      const init = body === undefined ? {} : { method: "POST", body: new URLSearchParams(body) };
      const page = await (await handler.fetch(new Request(url, init))).text();
      return /<p>(.*?)<\/p>/.exec(page)?.[1];
    }

    const click = (url: string) => ask(url, "List-Unsubscribe=One-Click");
    const undo = (url: string) => ask(url, "Belfry-Unsubscribe=Undo");
    const choices = async () =>
      (await service.preferences.list("ann")).choices.map(({ scope, name, channel, value }) => [scope, name, channel, value].join(" "));
    return { service, mails, linkOf, ask, click, undo, choices };
  }

  describe("the link of a digest", () => {
    test("names the category that was chosen, and brings its frequency back", async () => {
      const { service, linkOf, ask, click, undo, choices } = setUp();
      await service.preferences.set("ann", { category: "social", channel: "email" }, "daily");
      const url = await linkOf(["comment", "mention"]);
      expect(await ask(url)).toBe("Do you no longer want to get “Social” by e-mail?");
      expect(await click(url)).toBe("You will no longer get “Social” by e-mail.");
      expect(await choices()).toEqual(["category social email off"]);
      expect(await undo(url)).toBe("You get “Social” by e-mail again.");
      expect(await choices()).toEqual(["category social email daily"]);
      await service.preferences.set("ann", { category: "social", channel: "email" }, "weekly");
      expect(await undo(url)).toBe("You get “Social” by e-mail again.");
      expect(await choices()).toEqual(["category social email weekly"]);
    });

    test("names the category that all of it shares, and the type if it has only one", async () => {
      const { service, linkOf, ask, click, undo, choices } = setUp();
      await service.preferences.set("ann", { all: true }, "daily");
      const shared = await linkOf(["comment", "mention"]);
      expect(await click(shared)).toBe("You will no longer get “Social” by e-mail.");
      expect(await choices()).toEqual(["category social email off", "all   daily"]);
      await undo(shared);
      expect(await choices()).toEqual(["all   daily"]);
      expect(await ask(await linkOf(["report", "report"]))).toBe("Do you no longer want to get “Weekly report” by e-mail?");
    });

    test("names everything where that was chosen; what is required and what was chosen for itself still comes", async () => {
      const { service, mails, linkOf, ask, click, undo, choices } = setUp();
      await service.preferences.set("ann", { all: true, channel: "email" }, "daily");
      await service.preferences.set("ann", { type: "mention", channel: "email" }, "immediate");
      const url = await linkOf(["comment", "report"]);
      expect(await ask(url)).toBe("Do you no longer want to get “All notifications” by e-mail?");
      expect(await click(url)).toBe("You will no longer get “All notifications” by e-mail.");
      expect(await ask(url)).toBe("You do not get “All notifications” by e-mail.");
      expect(await choices()).toEqual(["type mention email immediate", "all  email off"]);
      mails.clear();
      for (const type of ["comment", "report", "mention", "invoice"] as const) {
        await service.create({ type, to: "ann", title: type, message: "World" });
      }
      await service.runDue();
      expect(mails.tasks.map(({ type }) => type).toSorted()).toEqual(["invoice", "mention"]);
      expect(await undo(url)).toBe("You get “All notifications” by e-mail again.");
      expect(await choices()).toEqual(["type mention email immediate", "all  email daily"]);
    });

    test("names a group that was chosen, whatever is in it", async () => {
      const { service, linkOf, click, undo, choices } = setUp();
      await service.preferences.set("ann", { group: "thread 7" }, "daily");
      const url = await linkOf(["comment", "mention"], "thread 7");
      expect(await click(url)).toBe("You will no longer get “thread 7” by e-mail.");
      expect(await choices()).toEqual(["group thread 7 email off", "group thread 7  daily"]);
      await undo(url);
      expect(await choices()).toEqual(["group thread 7 email daily", "group thread 7  daily"]);
    });

    test("of a type switches off the groups by which it came, too", async () => {
      const { service, mails, linkOf, click, choices } = setUp();
      await service.preferences.set("ann", { group: "thread 7", channel: "email" }, "on");
      await service.preferences.set("ann", { group: "thread 8", channel: "email" }, "on");
      const url = await linkOf(["bundled", "bundled"], "thread 7");
      expect(await click(url)).toBe("You will no longer get “Social” by e-mail.");
      expect(await choices()).toEqual(["group thread 7 email off", "group thread 8 email on", "category social email off"]);
      mails.clear();
      await service.create({ type: "bundled", to: "ann", title: "One more", group: "thread 7" });
      await service.runDue();
      const explained = await service.explain("ann", "bundled", { group: "thread 7" });
      expect(explained.find(({ channel }) => channel === "email")).toMatchObject({ outcome: "skip", source: "user group email" });
    });

    test("says that it always comes where the tenant has locked its choice", async () => {
      const { service, linkOf, ask, click } = setUp();
      await service.preferences.defaults.set({ category: "social", channel: "email", locked: true }, "daily");
      const url = await linkOf(["comment", "mention"]);
      expect(await ask(url)).toBe("“Social” always comes by e-mail here.");
      expect(await click(url)).toBe("“Social” always comes by e-mail here. Your choice is kept, and counts once that changes.");
    });

    test("is that of the type for a digest of its own, and its functions get it", async () => {
      const { mails, linkOf, click } = setUp();
      const url = await linkOf(["bundled", "bundled", "bundled"]);
      expect(mails.tasks[0]?.contents?.text).toBe(url);
      expect(await click(url)).toBe("You will no longer get “Social” by e-mail.");
    });
  });
});
