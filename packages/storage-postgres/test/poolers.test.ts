import { NotificationService } from "@belfry/core";
import type { Signal } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { type PostgresStorageOptions, postgresStorage, postgresTransport } from "../src/index.ts";
import { openPool, silent, useCleanup, useDatabase } from "./setup.ts";
import { transactionPooler } from "./transaction-pooler.ts";

const WAIT = { timeout: 30_000, interval: 20 };
const BY_NAME = { code: "STORAGE_FAILED", message: expect.stringMatching(/preparedStatements: false/) };

describe("a pooler that gives each transaction another connection", () => {
  const cleanup = useCleanup();
  const database = useDatabase();

  async function openPooler(servers: number) {
    const pooler = await transactionPooler(database.url, servers);
    cleanup(() => pooler.close());
    return pooler;
  }

  /** A storage on one connection to the pooler. */
  function storageAt(url: string, options: PostgresStorageOptions = {}) {
    const pool = openPool(url, 1);
    cleanup(() => pool.end());
    return postgresStorage(pool, { logger: silent, ...options });
  }

  test("a statement that the next connection does not have fails with the option that helps", async () => {
    const { url } = await openPooler(2);
    // Signs in, so that there is a second connection.
    const other = openPool(url, 1);
    cleanup(() => other.end());
    await other.query("SELECT 1");
    const storage = storageAt(url);
    await storage.open();
    const counts = () => storage.inbox.counts({ tenant: "acme", userId: "ann" });
    await counts();
    await expect(counts()).rejects.toMatchObject({ ...BY_NAME, cause: { code: "26000" } });
  });

  test("a statement that the next connection has already fails with the option that helps", async () => {
    const { url } = await openPooler(1);
    await storageAt(url).open();
    await expect(storageAt(url).open()).rejects.toMatchObject({ ...BY_NAME, cause: { code: "42P05" } });
  });

  test("with preparedStatements: false everything works", async () => {
    const { url } = await openPooler(2);
    const storage = postgresStorage(url, { schema: "pooled", preparedStatements: false, poolSize: 4, logger: silent });
    const service = new NotificationService({ storage, logger: silent });
    cleanup(() => service.stop());
    await service.start();
    const users = Array.from({ length: 20 }, (_, index) => `user-${index}`);
    await Promise.all(users.map((to) => service.create({ to, title: "Hello" })));
    await Promise.all(users.map((user) => service.inbox(user).markAllRead()));
    const counts = await Promise.all(users.map((user) => service.inbox(user).counts()));
    expect(counts).toEqual(users.map(() => expect.objectContaining({ total: 1, unread: 0 })));
  });

  test("with preparedStatements: false signals to other processes go out, too", async () => {
    const { url } = await openPooler(2);
    const receiver = postgresTransport(database.url, { logger: silent });
    const heard: Signal[] = [];
    await receiver.follow?.("every inbox");
    await receiver.start({ onSignals: (signals) => heard.push(...signals), onGap: () => undefined });
    cleanup(() => receiver.stop());
    const storage = postgresStorage(url, { preparedStatements: false, logger: silent });
    const sender = storage.transport();
    await sender.start({ onSignals: () => undefined, onGap: () => undefined });
    cleanup(() => sender.stop());
    for (let seq = 1; seq <= 4; seq += 1) {
      sender.publish([{ tenant: "t", userId: "u", change: "created", seq, epoch: "e" }]);
      await expect.poll(() => heard.length, WAIT).toBe(seq);
    }
  });
});
