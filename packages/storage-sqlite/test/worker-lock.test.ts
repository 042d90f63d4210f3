import { type Channel, NotificationService } from "@belfry/core";
import { describe, expect, test, vi } from "vitest";
import { sqliteStorage } from "../src/index.ts";
import { temporaryPath, useCleanup } from "./setup.ts";

describe("a second service on one file", () => {
  const cleanup = useCleanup();

  function serviceOn(path: string, deliver: Channel["deliver"]) {
    const warnings: string[] = [];
    const logger = { debug() {}, info() {}, error() {}, warn: (_: object, text: string) => void warnings.push(text) };
    const channel: Channel = { name: "test", retryDelaysMs: [], timeoutMs: 30_000, invalidRecipient: () => null, deliver };
    const service = new NotificationService({ storage: sqliteStorage(path), channels: [channel], logger, delivery: { drainMs: 50 } });
    cleanup(() => service.stop());
    return { service, warnings };
  }

  test("does not take over work of the first one, and says that there should be one service", async () => {
    const path = temporaryPath(cleanup);
    const begun: (() => void)[] = [];
    const first = serviceOn(
      path,
      () => new Promise((resolve) => void begun.push(() => resolve({ status: "delivered", provider: "first" }))),
    );
    await first.service.start();
    const {
      notification: { id },
    } = await first.service.create({ channels: ["test"], to: "ann", message: "Hello" });
    await vi.waitFor(() => expect(begun).toHaveLength(1));
    const second = serviceOn(path, async () => ({ status: "delivered", provider: "second" }));
    await second.service.start();
    await second.service.runDue();
    expect(second.warnings).toEqual([
      expect.stringMatching(/Another process.*digests/),
      expect.stringMatching(/Another process.*deliveries/),
      expect.stringMatching(/Another process.*processing records/),
    ]);
    begun[0]?.();
    await vi.waitFor(async () => expect((await first.service.get(id)).status).toBe("delivered"));
    const {
      deliveries: [delivery],
    } = await first.service.deliveries(id);
    expect(delivery?.attempts.map(({ provider, status }) => [provider, status])).toEqual([["first", "delivered"]]);
    expect(first.warnings).toEqual([]);
  });

  test("takes over at once when the first one has ended, without its leases running out", async () => {
    const path = temporaryPath(cleanup);
    const storage = sqliteStorage(path);
    const lost = new NotificationService({ storage, delivery: { worker: false }, hub: { worker: false } });
    const { id } = await lost.trackFromContract({ to: "ann", message: "Hello" });
    const claim = { owner: "lost", at: new Date(), leaseMs: 3_600_000, limit: 1, perEndpoint: 1, channels: ["inbox"] };
    expect(await storage.deliveries.leases.claim({ ...claim, exceptTenants: [], exceptEndpoints: [] })).toHaveLength(1);
    expect(storage.isOnlyWorker()).toBe(true);
    await lost.stop();
    const { service, warnings } = serviceOn(path, async () => ({ status: "delivered", provider: "next" }));
    await service.runDue();
    expect((await service.get(id)).status).toBe("failed");
    const {
      deliveries: [delivery],
    } = await service.deliveries(id);
    expect([delivery?.attempts.map(({ status }) => status), warnings]).toEqual([["unknown", "failed"], []]);
  });

  test("a database in memory is nobody else's", async () => {
    const [one, other] = [sqliteStorage(":memory:"), sqliteStorage(":memory:")];
    await Promise.all([one.open(), other.open()]);
    expect([one.isOnlyWorker(), other.isOnlyWorker()]).toEqual([true, true]);
    await Promise.all([one.close(), other.close()]);
  });
});

describe("a path that names no database", () => {
  test.each([
    ["", "data/app.db"],
    ["sqlite:./q.db", "./q.db"],
    ["postgres://localhost/app", "data/app.db"],
  ])("%j is refused, and says what to pass", (path, remedy) => {
    expect(() => sqliteStorage(path)).toThrow(expect.objectContaining({ code: "CONFIGURATION", message: expect.stringContaining(remedy) }));
  });

  test("a path that cannot be opened is named", async () => {
    const storage = sqliteStorage(`${process.cwd()}/`);
    await expect(storage.open()).rejects.toMatchObject({ code: "STORAGE_FAILED", message: expect.stringContaining(process.cwd()) });
  });
});
