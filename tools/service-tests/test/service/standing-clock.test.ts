import { BelfryError, type Channel, defineTypes, NotificationService } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import { testClock } from "@belfry/testkit/host";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { usePostgresDatabase } from "../postgres-database.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

// The database, and other processes, go on while the clock of a test stands still: nothing may wait for both.

const types = defineTypes({ news: { channels: { inbox: true, test: { unlessOnline: true } } } });

const channel: Channel = {
  name: "test",
  retryDelaysMs: [],
  timeoutMs: 1_000,
  invalidRecipient: () => null,
  deliver: async () => ({ status: "delivered", provider: "test" }),
};

function serviceOn(storage: Storage) {
  return stopsAfterTest(new NotificationService({ storage, types, channels: [channel], clock: testClock(), logger: silent }));
}

async function statusesOf(service: ReturnType<typeof serviceOn>, id: string) {
  const { deliveries } = await service.deliveries(id);
  return deliveries.filter((delivery) => delivery.channel === "test").map(({ status, reason }) => [status, reason]);
}

onEveryStorage((database) => {
  test("the end of an attempt that the database refused for a moment is recorded", async () => {
    const storage = database.storage();
    const service = serviceOn(storage);
    const refused = new BelfryError("STORAGE_UNAVAILABLE", "Two transactions waited for each other.");
    vi.spyOn(storage.deliveries, "complete").mockRejectedValueOnce(refused);
    vi.spyOn(storage.deliveries, "settle").mockRejectedValueOnce(refused);
    const { notification } = await service.create({ type: "news", to: "ann", title: "News" });
    await service.runDue();
    expect(await statusesOf(service, notification.id)).toEqual([["delivered", null]]);
  });
});

describe("whether a user is connected to another process", () => {
  const database = usePostgresDatabase();

  async function outcomeFor(userId: string) {
    const service = serviceOn(database.storage());
    const { notification } = await service.create({ type: "news", to: userId, title: "News" });
    await service.runDue();
    return statusesOf(service, notification.id);
  }

  test("that lives is found out", async () => {
    const storage = database.storage();
    const subscription = serviceOn(storage)
      .inbox("ann")
      .subscribe({ onEvent: () => {}, onState: () => {} });
    await subscription.ready;
    const owner = { tenant: "default", userId: "ann" };
    await vi.waitFor(async () => expect(await storage.presence?.holding([owner])).toMatchObject([[{}]]));
    expect(await outcomeFor("ann")).toEqual([["skipped", "online"]]);
    subscription.close();
  });

  test("that was killed is found out once its lease is over", async () => {
    const storage = database.storage();
    await storage.open();
    await storage.presence?.announce("killed", { joined: [{ tenant: "default", userId: "bob" }], left: [] }, 300);
    expect(await outcomeFor("bob")).toEqual([["delivered", null]]);
    await storage.close();
  });
});
