import { type HubEvent, systemClock, uuidV7 } from "@belfry/core";
import { expect, test } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { openPool, rowsOf, silent, useCleanup, useDatabase } from "./setup.ts";

const ids = uuidV7(systemClock);
const database = useDatabase();
const cleanup = useCleanup();

const HANDLERS = 100;
const LONG = "p".repeat(100_000);

/** An event, and handlers with long prompts that take it on. */
function events(tenant: string, count: number): readonly HubEvent[] {
  return Array.from({ length: count }, () => {
    const name = { id: ids.next(), tenant, source: "mail", sender: "u1" };
    return { ...name, content: "x", metadata: {}, receivedAt: new Date() };
  });
}

const plan = () => Array.from({ length: HANDLERS }, (_, at) => ({ id: ids.next(), handlerId: ids.next(), prompt: `${at} ${LONG}` }));

test("the version of a prompt is stored once for all records that have it, and goes with the last of them", async () => {
  const pool = openPool(database.url, 4);
  cleanup(() => pool.end());
  const storage = postgresStorage(pool, { logger: silent });
  await storage.open();
  cleanup(() => storage.close());
  const count = async (sql: string) => Number((await rowsOf<{ n: string }>(pool, sql))[0]?.n);
  await storage.hub.createEvents(events("acme", 1), plan);
  // Events at once meet on new versions; those that lose keep their prompts themselves.
  await Promise.all([1, 2, 3].map(() => storage.hub.createEvents(events("acme", 1), plan)));
  await storage.hub.createEvents(events("globex", 1), plan);
  expect(await count("SELECT count(*) AS n FROM belfry_prompts")).toBe(2 * HANDLERS);
  expect(await count("SELECT count(*) AS n FROM belfry_processing_records WHERE prompt = '' AND prompt_pk IS NOT NULL")).toBe(5 * HANDLERS);
  await pool.query("UPDATE belfry_processing_records SET status = 'FAILED' WHERE tenant = 'acme'");
  await storage.hub.sweep(new Date(Date.now() + 1_000), { after: null, limit: 100 });
  expect(await count("SELECT count(*) AS n FROM belfry_prompts")).toBe(HANDLERS);
});
