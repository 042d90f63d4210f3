import { systemClock, uuidV7 } from "@belfry/core";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { sqliteStorage } from "../src/index.ts";
import { entry, useCleanup } from "./setup.ts";

const ids = uuidV7(systemClock);
const MANY = 12_000;

describe("a sweep of a send with very many deliveries", () => {
  const cleanup = useCleanup();

  /** A settled send in no inbox, whose deliveries have this status; the last one another. */
  async function filled(last: string) {
    const database = new Database(":memory:");
    cleanup(() => database.close());
    const storage = sqliteStorage(database);
    await storage.open();
    await storage.inbox.createMany([entry([])]);
    database.exec(`INSERT INTO belfry_trackings (notification_pk, tenant, channel, fallback_delay_ms, status, pending_chains, sent_chains,
      delivered_chains, failed_chains, cancelled_chains, attempts, fallback_used, created_at, updated_at)
      SELECT pk, tenant, 'email', 0, 'sent', 0, ${MANY}, 0, 0, 0, 1, 0, created_at, created_at FROM belfry_notifications`);
    const add = database.prepare(`INSERT INTO belfry_deliveries
      (id, notification_pk, tenant, channel, recipient, chain, is_fallback, status, attempt, attempts_before, fence)
      SELECT ?, pk, tenant, 'email', 'ann', ?, 0, ?, 1, 0, 0 FROM belfry_notifications`);
    database.transaction(() => {
      for (let chain = 0; chain < MANY; chain += 1) {
        add.run(ids.next(), chain, chain === MANY - 1 ? last : "sent");
      }
    })();
    const left = () => database.prepare("SELECT count(*) FROM belfry_deliveries").pluck().get();
    const step = (after: string | null) => storage.deliveries.sweep(new Date(Date.now() + 1_000), { after, limit: 20 });
    return { left, step };
  }

  test("asks its deliveries in parts, and removes none before it has asked all", async () => {
    const { left, step } = await filled("sent");
    const first = await step(null);
    expect([first.removed, first.next, left()]).toEqual([0, expect.any(String), MANY]);
    let { next } = await step(first.next);
    expect([next, left()]).toEqual([expect.any(String), MANY]);
    let removed = 0;
    while (next !== null) {
      ({ next, removed } = await step(next));
    }
    expect([removed, left()]).toEqual([1, 0]);
  });

  test("keeps it if the last one is left to deliver", async () => {
    const { left, step } = await filled("waiting");
    let removed = 0;
    for (let next: string | null = "[0,0]"; next !== null; removed += 1) {
      ({ next } = await step(next));
    }
    expect([removed, left()]).toEqual([3, MANY]);
  });
});
