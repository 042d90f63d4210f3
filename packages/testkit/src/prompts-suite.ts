import { type HubEvent, systemClock, uuidV7 } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import { expect, onTestFinished, test } from "vitest";

const ids = uuidV7(systemClock);

const HANDLERS = 100;
const LONG = "p".repeat(100_000);

/** The storage that {@link promptsSuite} tests, over an empty database. */
export interface PromptsSubject {
  /** Opened already. */
  readonly storage: Storage;
  /** The number that a query of one row answers as `n`. */
  number(sql: string): Promise<number>;
  run(sql: string): Promise<void>;
  /** How large the database is, in bytes. */
  bytes(): Promise<number>;
  dispose(): Promise<void>;
}

/** Events, and handlers with long prompts that take each of them on. */
function events(tenant: string, count: number): readonly HubEvent[] {
  return Array.from({ length: count }, () => {
    const name = { id: ids.next(), tenant, source: "mail", sender: "u1" };
    return { ...name, content: "x", metadata: {}, receivedAt: new Date() };
  });
}

const plan = () => Array.from({ length: HANDLERS }, (_, at) => ({ id: ids.next(), handlerId: ids.next(), prompt: `${at} ${LONG}` }));

/** Declares the test of how a SQL database keeps prompts, which the storage's interface does not show. */
export function promptsSuite(create: () => Promise<PromptsSubject>): void {
  test("the version of a prompt is stored once for all records that have it, and goes with the last of them", async () => {
    const { storage, number, run, bytes, dispose } = await create();
    onTestFinished(dispose);
    const { hub } = storage;
    await hub.createEvents(events("acme", 1), plan);
    const before = await bytes();
    await hub.createEvents(events("acme", 10), plan);
    expect((await bytes()) - before).toBeLessThan(10 * HANDLERS * 2_000);
    await hub.createEvents(events("globex", 1), plan);
    // Events at once may meet on new versions; those that lose keep their prompts themselves.
    await Promise.all([1, 2, 3].map(() => hub.createEvents(events("acme", 1), plan)));
    expect(await number("SELECT count(*) AS n FROM belfry_prompts")).toBe(2 * HANDLERS);
    expect(await number("SELECT count(*) AS n FROM belfry_processing_records WHERE prompt = '' AND prompt_pk IS NOT NULL")).toBe(
      15 * HANDLERS,
    );
    await run("UPDATE belfry_processing_records SET status = 'FAILED' WHERE tenant = 'acme'");
    await hub.sweep(new Date(Date.now() + 1_000), { after: null, limit: 100 });
    expect(await number("SELECT count(*) AS n FROM belfry_prompts")).toBe(HANDLERS);
  });
}
