import type { DueRequest } from "@belfry/core/storage";
import { expect, test } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { listenTo, openPool, silent, useCleanup, useDatabase } from "./setup.ts";

const cleanup = useCleanup();
const database = useDatabase();

test("a look at what is due reads names, and no content of notifications or events", async () => {
  const pool = openPool(database.url);
  cleanup(() => pool.end());
  const storage = postgresStorage(pool, { logger: silent });
  await storage.open();
  cleanup(() => storage.close());
  const texts = listenTo(pool);
  const request: DueRequest = { at: new Date(), limit: 10, exceptTenants: [] };
  for (const exceptTenants of [[], ["acme"]]) {
    await storage.deliveries.leases.due({ ...request, exceptTenants, perEndpoint: 10, channels: ["email"], exceptEndpoints: [] });
    await storage.hub.leases.due({ ...request, exceptTenants });
  }
  expect(texts.length).toBeGreaterThanOrEqual(4);
  expect(texts.filter((text) => /belfry_(notifications|trackings|sends|events)/.test(text))).toEqual([]);
});
