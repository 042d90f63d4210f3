import { NotificationService, type Processor } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { DATABASES, emptyDatabase } from "./either-database.ts";
import { storageAt } from "./storage-at.ts";
import { useCleanup } from "./use-cleanup.ts";

const EVENTS = process.env.BELFRY_LONG ? 50_000 : 200;
const HANDLERS = 20;
const IN_FLIGHT = 64;
const TIMEOUT_MS = process.env.BELFRY_LONG ? 1_800_000 : 180_000;
const SOURCE = "monitoring";

/** Ids that must each come once. */
class Once {
  readonly #ids = new Set<string>();
  count = 0;

  get distinct(): number {
    return this.#ids.size;
  }

  add(id: string): void {
    this.#ids.add(id);
    this.count += 1;
  }
}

/** Does `work` for each of the items, several at once. */
async function forEach<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async () => {
    for (const item of left) {
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

describe.each(DATABASES)("%s", (kind) => {
  const cleanup = useCleanup();

  test(`${EVENTS} events through ${HANDLERS} handlers: no record is lost, run twice or reported twice`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const attempts = new Map<string, number>();
    const processor: Processor = {
      name: "counting",
      timeoutMs: 30_000,
      concurrency: 200,
      async process({ recordId }) {
        attempts.set(recordId, (attempts.get(recordId) ?? 0) + 1);
        return { status: "completed", text: recordId };
      },
    };
    const service = new NotificationService({ storage: storageAt(await emptyDatabase(kind, cleanup)), hub: { processor } });
    cleanup(() => service.stop());
    await service.start();
    const { events, handlers } = service.hub;
    for (let number = 0; number < HANDLERS; number += 1) {
      await handlers.create({ source: SOURCE, prompt: `prompt ${number}`, filter: { level: { operator: "gte", value: number % 3 } } });
    }
    const told = { events: new Once(), records: new Once() };
    const subscription = events.subscribe(SOURCE, {
      onEvent: ({ id }) => told.events.add(id),
      onSettled: ({ id }) => told.records.add(id),
    });
    await subscription.ready;
    const ids: string[] = [];
    await forEach(
      Array.from({ length: EVENTS }, (_, number) => number),
      async (number) => {
        const { id } = await events.create({ source: SOURCE, sender: `sender ${number}`, content: "Disk full", metadata: { level: 2 } });
        ids.push(id);
      },
    );
    const total = EVENTS * HANDLERS;
    await expect.poll(() => told.records.count, { timeout: TIMEOUT_MS, interval: 100 }).toBe(total);
    let stored = 0;
    await forEach(ids, async (id) => {
      const records = await events.records(id);
      expect(records.map(({ status, result, id: recordId }) => status === "COMPLETED" && result === recordId)).not.toContain(false);
      expect(new Set(records.map(({ handlerId }) => handlerId)).size).toBe(HANDLERS);
      stored += records.length;
    });
    expect([stored, attempts.size, Math.max(...new Set(attempts.values()))]).toEqual([total, total, 1]);
    expect([told.events.count, told.events.distinct, told.records.count, told.records.distinct]).toEqual([EVENTS, EVENTS, total, total]);
    subscription.close();
  });
});
