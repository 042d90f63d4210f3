import { memoryTransport, NotificationService } from "@belfry/core";
import { describe, expect, test, vi } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { openPool, silent, useCleanup, useDatabase } from "./setup.ts";

const WAIT = { timeout: 30_000, interval: 20 };

describe("presence", () => {
  const cleanup = useCleanup();
  const database = useDatabase();
  const pool = () => {
    const opened = openPool(database.url, 1);
    cleanup(() => opened.end());
    return opened;
  };

  async function instance(): Promise<NotificationService> {
    const service = new NotificationService({ storage: postgresStorage(database.url, { logger: silent }), logger: silent });
    await service.start();
    cleanup(() => service.stop());
    return service;
  }

  test("a user who is connected to one instance is online for all of them, until the last connection closes", async () => {
    const [here, there] = [await instance(), await instance()];
    const status = async () => {
      const { id } = await there.trackFromContract({ to: "ann", message: "x" });
      await expect.poll(async () => (await there.get(id)).status, WAIT).not.toBe("pending");
      return (await there.get(id)).status;
    };
    expect(await status()).toBe("failed");
    const subscription = here.inbox("ann").subscribe({ onEvent: () => {}, onState: () => {} });
    await subscription.ready;
    await expect.poll(status, WAIT).toBe("sent");
    subscription.close();
    await expect.poll(status, WAIT).toBe("failed");
  });

  test("users of an instance that stops go offline at once, and users of a lost one when its lease ends", async () => {
    const here = await instance();
    const storage = postgresStorage(database.url, { logger: silent });
    await storage.open();
    cleanup(() => storage.close());
    const owner = { tenant: "default", userId: "bob" };
    const subscription = here.inbox("bob").subscribe({ onEvent: () => {}, onState: () => {} });
    await subscription.ready;
    const { presence } = storage;
    const holding = async () => (await presence.holding([owner])).flat().map(({ instance }) => instance);
    await expect.poll(holding, WAIT).toHaveLength(1);
    await here.stop();
    expect(await holding()).toEqual([]);
    expect(await presence.announce("lost", { joined: [owner], left: [] }, 50)).toBe(false);
    await expect.poll(holding, WAIT).toEqual([]);
    // Another instance forgets it; should it live after all, it hears so and announces its users again.
    expect(await presence.renew("other", 60_000)).toBe(false);
    expect(await presence.renew("other", 60_000)).toBe(true);
    expect(await presence.renew("lost", 60_000)).toBe(false);
    expect(await holding()).toEqual([]);
    expect(await presence.announce("lost", { joined: [owner], left: [] }, 60_000)).toBe(true);
    expect(await holding()).toEqual(["lost"]);
  });

  test("users who leave while the feeds end are nothing to complain about", async () => {
    const complaints: string[] = [];
    const complain = (_details: object, message: string) => void complaints.push(message);
    const logger = { ...silent, warn: complain, error: complain };
    const storage = postgresStorage(database.url, { logger });
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const positions = storage.inbox.positions.bind(storage.inbox);
    vi.spyOn(storage.inbox, "positions").mockImplementation(async (owners) => {
      asked.resolve();
      await answer.promise;
      return positions(owners);
    });
    const transport = { ...memoryTransport(), isLocal: false, pollIntervalMs: 1 };
    const service = new NotificationService({ storage, transport, logger });
    await service.start();
    const subscription = service.inbox("eve").subscribe({ onEvent: () => {}, onState: () => {} });
    await subscription.ready;
    await asked.promise;
    const direct = pool();
    const rows = async () => (await direct.query("SELECT FROM belfry_presence WHERE user_id = 'eve'")).rowCount;
    await expect.poll(rows, WAIT).toBe(1);
    let mode = "stopping";
    const stopping = service.stop().then(() => {
      mode = "stopped";
    });
    // The feeds' own look keeps the stop from ending; the presence has ended before it.
    await expect.poll(rows, WAIT).toBe(0);
    subscription.close();
    expect(mode).toBe("stopping");
    answer.resolve();
    await stopping;
    expect(complaints).toEqual([]);
  });

  test("an instance that was wrongly counted as dead reports its users again", async () => {
    const here = await instance();
    const subscription = here.inbox("cy").subscribe({ onEvent: () => {}, onState: () => {} });
    await subscription.ready;
    const direct = pool();
    const rows = () => direct.query("SELECT FROM belfry_presence WHERE user_id = 'cy'");
    await expect.poll(async () => (await rows()).rowCount, WAIT).toBe(1);
    await direct.query("DELETE FROM belfry_presence");
    await expect.poll(async () => (await rows()).rowCount, WAIT).toBe(1);
    subscription.close();
  });

  test("users of an instance that renews each row by itself, as older versions do, count while those leases run", async () => {
    const storage = postgresStorage(database.url, { logger: silent });
    await storage.open();
    cleanup(() => storage.close());
    const owner = { tenant: "default", userId: "dan" };
    const direct = pool();
    const lease = (seconds: number) =>
      direct.query(
        `INSERT INTO belfry_presence VALUES ('default', 'dan', 'older', now() + $1 * interval '1 second')
        ON CONFLICT (tenant, user_id, instance) DO UPDATE SET lease_until = excluded.lease_until`,
        [seconds],
      );
    await lease(60);
    expect(await storage.presence.holding([owner])).toEqual([[{ instance: "older", leasedUntilMs: null }]]);
    await lease(-1);
    expect(await storage.presence.holding([owner])).toEqual([[]]);
  });
});

test("time is the database's: a service whose clock is an hour off steals no lease and delays nothing", async () => {
  const { freshDatabase } = await import("@belfry/postgres-launcher");
  const database = await freshDatabase();
  const storage = postgresStorage(database.url, { logger: silent });
  await storage.open();
  const service = new NotificationService({ storage, logger: silent, delivery: { worker: false } });
  await service.trackFromContract({ to: "ann", message: "x" });
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
