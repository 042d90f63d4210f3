import type { DueRequest } from "@belfry/core/storage";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { sqliteStorage } from "../src/index.ts";
import { useCleanup } from "./setup.ts";

const cleanup = useCleanup();

test("a look at what is due reads names, and no content of notifications or events", async () => {
  const texts: string[] = [];
  const database = new Database(":memory:", { verbose: (text) => void texts.push(String(text)) });
  cleanup(() => database.close());
  const storage = sqliteStorage(database);
  await storage.open();
  cleanup(() => storage.close());
  texts.length = 0;
  const request: DueRequest = { at: new Date(), limit: 10, exceptTenants: [] };
  for (const exceptTenants of [[], ["acme"]]) {
    await storage.deliveries.leases.due({ ...request, exceptTenants, perEndpoint: 10, channels: ["email"], exceptEndpoints: [] });
    await storage.hub.leases.due({ ...request, exceptTenants });
  }
  expect(texts.filter((text) => text.includes("SELECT")).length).toBeGreaterThanOrEqual(4);
  expect(texts.filter((text) => /belfry_(notifications|trackings|sends|events)/.test(text))).toEqual([]);
});
