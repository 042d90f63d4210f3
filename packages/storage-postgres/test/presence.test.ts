import { NotificationService } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { silent, useCleanup, useDatabase } from "./setup.ts";

const WAIT = { timeout: 30_000, interval: 20 };

describe("presence", () => {
  const cleanup = useCleanup();
  const database = useDatabase();

  async function instance(): Promise<NotificationService> {
    const service = new NotificationService({ storage: postgresStorage(database.url, { logger: silent }), logger: silent });
    await service.start();
    cleanup(() => service.stop());
    return service;
  }

  test("a user who is connected to one instance is online for all of them, until the last connection closes", async () => {
    const [here, there] = [await instance(), await instance()];
    const status = async () => {
      const { id } = await there.send({ to: "ann", content: "x" });
      await expect.poll(async () => (await there.sends.get(id)).status, WAIT).not.toBe("pending");
      return (await there.sends.get(id)).status;
    };
    expect(await status()).toBe("failed");
    const subscription = here.inbox("ann").subscribe({ onEvent: () => {}, onState: () => {} });
    await subscription.ready;
    await expect.poll(status, WAIT).toBe("sent");
    subscription.close();
    await expect.poll(status, WAIT).toBe("failed");
  });

  test("an instance that stops takes its users with it; one that is lost is forgotten when its lease ends", async () => {
    const here = await instance();
    const storage = postgresStorage(database.url, { logger: silent });
    await storage.open();
    cleanup(() => storage.close());
    const owner = { tenant: "default", userId: "bob" };
    const subscription = here.inbox("bob").subscribe({ onEvent: () => {}, onState: () => {} });
    await subscription.ready;
    await expect.poll(() => storage.presence.online([owner]), WAIT).toEqual([true]);
    await here.stop();
    expect(await storage.presence.online([owner])).toEqual([false]);
    await storage.presence.announce("lost", { joined: [owner], left: [] }, 50);
    await expect.poll(() => storage.presence.online([owner]), WAIT).toEqual([false]);
  });
});

test("time is the database's: a service whose clock is an hour off steals no lease and delays nothing", async () => {
  const { freshDatabase } = await import("@belfry/postgres-launcher");
  const database = await freshDatabase();
  const storage = postgresStorage(database.url, { logger: silent });
  await storage.open();
  const service = new NotificationService({ storage, logger: silent, delivery: { worker: false } });
  await service.send({ to: "ann", content: "x" });
  const claim = (owner: string, at: Date) =>
    storage.deliveries.leases.claim({
      owner,
      at,
      leaseMs: 60_000,
      limit: 10,
      perEndpoint: 10,
      channels: ["inbox"],
      exceptTenants: [],
      exceptEndpoints: [],
    });
  const hour = 3_600_000;
  expect(await claim("behind", new Date(Date.now() - hour))).toHaveLength(1);
  const lost = await storage.deliveries.leases.lost({ at: new Date(Date.now() + hour), limit: 10, furthestMs: 3 * hour });
  expect([lost, await claim("ahead", new Date(Date.now() + hour))]).toEqual([[], []]);
  await service.stop();
  await database.drop();
});
