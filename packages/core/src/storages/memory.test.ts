import { describe, expect, test } from "vitest";
import type { CreatedItem, NewNotification } from "../inbox/inbox-storage.ts";
import { type MemoryTransaction, memoryStorage } from "./memory.ts";

const ann = { tenant: "t", userId: "ann" };

function entry(id: string): NewNotification {
  const texts = { id, tenant: "t", type: "note", title: "", message: "" };
  return {
    notification: { ...texts, kind: "message", data: {}, source: null, sender: null, createdAt: new Date(0) },
    recipients: ["ann"],
  };
}

function ignore(): void {}

describe("transaction", () => {
  test("it returns what the callback returns, after those who wait for the commit were told", () => {
    const storage = memoryStorage();
    const told: (readonly CreatedItem[])[] = [];
    const result = storage.transaction((tx) => {
      storage.inbox.createWithin(tx, entry("a"), (items) => told.push(items));
      expect(told).toEqual([]);
      return "done";
    });
    expect(result).toBe("done");
    expect(told).toMatchObject([[{ userId: "ann", seq: 1 }]]);
  });

  test("an asynchronous callback is refused, its transaction rolled back and its later writes refused", async () => {
    const storage = memoryStorage();
    const { promise: later, resolve: goOn } = Promise.withResolvers<void>();
    const { promise: refusal, resolve: refused } = Promise.withResolvers<unknown>();
    const work = async (tx: MemoryTransaction) => {
      storage.inbox.createWithin(tx, entry("a"), ignore);
      await later;
      try {
        storage.inbox.createWithin(tx, entry("b"), ignore);
      } catch (error) {
        refused(error);
        throw error;
      }
    };
    expect(() => storage.transaction(work)).toThrowError(expect.objectContaining({ code: "WRONG_TRANSACTION" }));
    goOn();
    expect(await refusal).toMatchObject({ code: "WRONG_TRANSACTION" });
    expect(await storage.inbox.counts(ann)).toMatchObject({ total: 0, lastSeq: 0 });
  });

  test("a callback that returns something to be awaited is refused as well", async () => {
    const storage = memoryStorage();
    const query = { then: ignore };
    const run = () =>
      storage.transaction((tx) => {
        storage.inbox.createWithin(tx, entry("a"), ignore);
        return query;
      });
    expect(run).toThrowError(expect.objectContaining({ code: "WRONG_TRANSACTION" }));
    expect(await storage.inbox.counts(ann)).toMatchObject({ total: 0 });
  });

  test("a transaction inside another is refused, and the outer one goes on", async () => {
    const storage = memoryStorage();
    storage.transaction((tx) => {
      expect(() => storage.transaction(ignore)).toThrowError(expect.objectContaining({ code: "WRONG_TRANSACTION" }));
      storage.inbox.createWithin(tx, entry("a"), ignore);
    });
    expect(await storage.inbox.counts(ann)).toMatchObject({ total: 1 });
  });

  test("who is told of the commit may begin the next transaction", async () => {
    const storage = memoryStorage();
    const writeNext = () => storage.transaction((tx) => storage.inbox.createWithin(tx, entry("b"), ignore));
    storage.transaction((tx) => storage.inbox.createWithin(tx, entry("a"), writeNext));
    expect(await storage.inbox.counts(ann)).toMatchObject({ total: 2 });
  });
});

test("closing keeps the data", async () => {
  const storage = memoryStorage();
  await storage.inbox.createMany([entry("a")]);
  await storage.close();
  await storage.open();
  expect(await storage.inbox.counts(ann)).toMatchObject({ total: 1 });
});

test("the newest of an inbox of 100,000 are found without looking at the rest", async () => {
  const storage = memoryStorage();
  await storage.inbox.createMany(Array.from({ length: 100_000 }, (_, index) => entry(`${index}`.padStart(6, "0"))));
  // Each of these would take minutes in all if it copied, sorted or walked the inbox.
  for (let round = 0; round < 20_000; round += 1) {
    await storage.inbox.list(ann, { status: "all", limit: 20 });
    await storage.inbox.listAfter(ann, 99_990, { limit: 20, bytes: 1_000_000 });
    await storage.inbox.markAllRead(ann, new Date(round));
  }
  const page = await storage.inbox.list(ann, { status: "all", limit: 20 });
  expect(page.items.map((item) => item.seq)).toEqual(Array.from({ length: 20 }, (_, index) => 100_000 - index));
});
