import { NotificationService } from "@belfry/core";
import { testClock } from "@belfry/testkit/host";
import { expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { failing } from "../outage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

onEveryStorage((database) => {
  const service = (options: object) => stopsAfterTest(new NotificationService({ storage: database.storage(), logger: silent, ...options }));

  test("a process is ready between its start and its retirement, and a start takes that back", async () => {
    const notifications = service({});
    expect(await notifications.readiness()).toEqual({ isReady: false, reason: "starting" });
    await notifications.start();
    expect(await notifications.readiness()).toEqual({ isReady: true, reason: null });
    notifications.retire();
    expect(await notifications.readiness()).toEqual({ isReady: false, reason: "retiring" });
    await notifications.create({ to: "ann", title: "Still here" });
    await notifications.runDue();
    await notifications.start();
    expect((await notifications.readiness()).isReady).toBe(true);
    const stopped = notifications.stop();
    expect(await notifications.readiness()).toEqual({ isReady: false, reason: "stopped" });
    await stopped;
    notifications.retire();
    expect(await notifications.readiness()).toEqual({ isReady: false, reason: "stopped" });
  });

  test("it is not ready while its database is away, and again when that is back; however many ask, the database is asked once a second", async () => {
    const clock = testClock();
    const storage = failing(database.storage());
    const notifications = service({ storage: storage.storage, clock });
    await notifications.start();
    expect((await notifications.readiness()).isReady).toBe(true);
    storage.isDown = true;
    const pings = () => storage.failures.filter((method) => method === "ping").length;
    expect([(await notifications.readiness()).isReady, pings()]).toEqual([true, 0]);
    await clock.skip(1_000);
    const answers = await Promise.all(Array.from({ length: 100 }, () => notifications.readiness()));
    expect(new Set(answers.map(({ reason }) => reason))).toEqual(new Set(["database"]));
    expect(pings()).toBe(1);
    storage.isDown = false;
    expect((await notifications.readiness()).reason).toBe("database");
    await clock.skip(1_000);
    expect((await notifications.readiness()).isReady).toBe(true);
  });

  test("it is not ready when its database says nothing for 2 seconds", async () => {
    const clock = testClock();
    const storage = database.storage();
    const silence = Promise.withResolvers<void>();
    Object.assign(storage, { ping: () => silence.promise });
    const notifications = service({ storage, clock });
    await notifications.start();
    const asked = notifications.readiness();
    await clock.skip(2_000);
    expect(await asked).toEqual({ isReady: false, reason: "database" });
    silence.resolve();
  });
});
