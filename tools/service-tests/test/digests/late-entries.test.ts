import { type Directory, defineTypes, NotificationService } from "@belfry/core";
import { type Recorder, recorder, testClock } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const HOUR_MS = 3_600_000;

const types = defineTypes({ mention: { category: "social", channels: ["inbox", "email"] } });

const directory: Directory = (ids) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }]));

const shown = ({ tasks }: Recorder) =>
  tasks.map(({ recipient, title, digest }) => [
    recipient,
    title,
    digest?.total ?? null,
    digest?.entries.map((entry) => entry.title) ?? null,
  ]);

onEveryStorage((database) => {
  function setUp(start: string) {
    const mails = recorder();
    const clock = testClock(new Date(start));
    const started = (worker: boolean) => {
      const options = { storage: database.storage(), clock, types, channels: [mails], directory, logger: silent, delivery: { worker } };
      return stopsAfterTest(new NotificationService(options));
    };
    return { started, mails, clock };
  }

  describe("what comes late into a digest of a frequency", () => {
    test("goes out once, as soon as a worker comes back whose absence it had its time in; what came at that time waits for the next", async () => {
      const { started, mails, clock } = setUp("2030-01-09T20:00:00Z");
      const idle = started(false);
      await idle.preferences.set("ann", { all: true }, "daily");
      const mention = (title: string) => idle.create({ type: "mention", to: "ann", title, message: "World" });
      await mention("one");
      await clock.skipTo("2030-01-10T08:59:59.999Z");
      await mention("two");
      await clock.skipTo("2030-01-10T09:00:00Z");
      await mention("three");
      await clock.skipTo("2030-01-11T08:00:00Z");
      await idle.stop();
      const service = started(true);
      await service.runDue();
      expect(shown(mails)).toEqual([["ann", "Mention (2)", 2, ["one", "two"]]]);
      await clock.skipTo("2030-01-11T09:00:00Z");
      await service.runDue();
      expect(shown(mails).slice(1)).toEqual([["ann", "three", null, null]]);
      await clock.skipTo("2030-01-13T09:00:00Z");
      await service.runDue();
      expect(mails.tasks.length).toBe(2);
    });

    test("goes out by itself if its transaction commits after its time, while the next one is open", async () => {
      const { started, mails, clock } = setUp("2030-01-09T12:30:00Z");
      const service = started(true);
      await service.preferences.set("ann", { all: true }, "hourly");
      const late = await service.prepare({ type: "mention", to: "ann", title: "late", message: "World" });
      await clock.skip(HOUR_MS);
      await service.create({ type: "mention", to: "ann", title: "next", message: "World" });
      await service.runDue();
      await database.transaction((tx) => late.write(tx as never) as never);
      await service.runDue();
      expect(shown(mails)).toEqual([["ann", "late", null, null]]);
      await clock.skipTo("2030-01-09T14:00:00Z");
      await service.runDue();
      expect(shown(mails).slice(1)).toEqual([["ann", "next", null, null]]);
    });
  });
});
