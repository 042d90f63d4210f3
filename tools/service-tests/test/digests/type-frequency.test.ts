import { type Directory, defineTypes, NotificationService } from "@belfry/core";
import { recorder, testClock } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const types = defineTypes({
  comment: { category: "social", channels: { email: { digest: { frequency: "daily", subject: ({ total }) => `${total} comments` } } } },
  alarm: { category: "social", channels: { email: { digest: { frequency: "daily", unlessUrgent: true } } } },
});

const directory: Directory = (ids) => new Map(ids.map((id) => [id, { email: `${id}@example.com`, timeZone: "Europe/Berlin" }]));

onEveryStorage((database) => {
  function setUp() {
    const mails = recorder();
    const clock = testClock(new Date("2030-01-09T12:30:00Z"));
    const options = { storage: database.storage(), clock, types, channels: [mails], directory, logger: silent };
    const service = stopsAfterTest(new NotificationService(options));
    const create = (type: keyof typeof types, title: string, priority: "normal" | "urgent" = "normal") =>
      service.create({ type, to: "ann", title, message: "World", priority });
    const shown = () => mails.tasks.map(({ title, contents }) => contents?.subject ?? title);
    const at = async (time: string) => {
      await clock.passTo(time);
      await service.runDue();
    };
    return { service, create, shown, at };
  }

  describe("a type's digest with a frequency", () => {
    test("comes at the user's local time, also to those who switched it off and on again", async () => {
      const { service, create, shown, at } = setUp();
      await service.preferences.set("ann", { category: "social", channel: "email" }, "off");
      await service.preferences.set("ann", { category: "social", channel: "email" }, "on");
      await create("comment", "one");
      await create("comment", "two");
      await service.runDue();
      const [email] = await service.explain("ann", "comment");
      expect(email).toMatchObject({
        ...{ outcome: "digest", source: "type" },
        digest: { key: "", frequency: "daily", closesAt: new Date("2030-01-10T08:00:00Z"), leads: false },
      });
      await at("2030-01-10T07:59:59Z");
      expect(shown()).toEqual([]);
      await at("2030-01-10T08:00:00Z");
      expect(shown()).toEqual(["2 comments"]);
    });

    test("gives way to what the user or the tenant chose, and moves with the user's settings", async () => {
      const { service, create, shown, at } = setUp();
      await create("comment", "daily");
      await create("comment", "daily");
      await service.runDue();
      await service.preferences.setSettings("ann", { digest: { at: "18:00" } });
      await service.preferences.defaults.set({ type: "comment" }, "hourly");
      await create("comment", "hourly");
      await service.preferences.set("ann", { type: "comment", channel: "email" }, "immediate");
      await create("comment", "immediate");
      await service.runDue();
      expect(shown()).toEqual(["immediate"]);
      await at("2030-01-09T13:00:00Z");
      expect(shown().slice(1)).toEqual(["hourly"]);
      await at("2030-01-09T17:00:00Z");
      expect(shown().slice(2)).toEqual(["2 comments"]);
    });

    test("lets urgent ones go at once where it says so, unless the user chose how often digests come", async () => {
      const { service, create, shown, at } = setUp();
      await create("alarm", "calm");
      await create("alarm", "urgent", "urgent");
      await create("comment", "urgent comment", "urgent");
      await service.runDue();
      expect(shown()).toEqual(["urgent"]);
      await service.preferences.set("ann", { all: true, channel: "email" }, "hourly");
      await create("alarm", "urgent, hourly", "urgent");
      await service.runDue();
      expect(shown()).toEqual(["urgent"]);
      await at("2030-01-09T13:00:00Z");
      expect(shown().slice(1)).toEqual(["urgent, hourly"]);
      await at("2030-01-10T08:00:00Z");
      expect(shown().slice(2).toSorted()).toEqual(["calm", "urgent comment"]);
    });
  });
});
