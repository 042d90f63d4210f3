import { type HubEvent, systemClock, uuidV7 } from "@belfry/core";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { sqliteStorage } from "../src/index.ts";

const ids = uuidV7(systemClock);

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
  const database = new Database(":memory:");
  const storage = sqliteStorage(database);
  await storage.open();
  const count = (sql: string) => database.prepare(sql).pluck().get();
  const bytes = () =>
    (count("SELECT page_count FROM pragma_page_count") as number) * (count("SELECT page_size FROM pragma_page_size") as number);
  await storage.hub.createEvents(events("acme", 1), plan);
  const before = bytes();
  const more = events("acme", 10);
  await storage.hub.createEvents(more, plan);
  expect(bytes() - before).toBeLessThan(10 * HANDLERS * 2_000);
  await storage.hub.createEvents(events("globex", 1), plan);
  expect(count("SELECT count(*) FROM belfry_prompts")).toBe(2 * HANDLERS);
  expect(count("SELECT count(*) FROM belfry_processing_records WHERE prompt = '' AND prompt_pk IS NOT NULL")).toBe(12 * HANDLERS);
  database.exec("UPDATE belfry_processing_records SET status = 'FAILED' WHERE tenant = 'acme'");
  await storage.hub.sweep(new Date(Date.now() + 1_000), { after: null, limit: 100 });
  expect(count("SELECT count(*) FROM belfry_prompts")).toBe(HANDLERS);
  await storage.close();
  database.close();
});
