import { expect, test } from "vitest";
import { BelfryError } from "../foundation/errors.ts";
import { BatchQueue } from "./batch-queue.ts";

test("one entry that is refused costs its batch few writes, and every caller gets its own result, in order", async () => {
  const refused = new BelfryError("STORAGE_UNAVAILABLE", "It moves.", { details: { concerns: "tenant" } });
  const written: number[] = [];
  let writes = 0;
  const queue = new BatchQueue<number, number>({
    count: ({ length }) => length,
    write: async (entries) => {
      writes += 1;
      if (entries.includes(37)) {
        throw refused;
      }
      written.push(...entries);
      return entries.map((entry) => entry * 2);
    },
    settle: (pending, result) => pending.resolve(result),
  });
  const entries = Array.from({ length: 64 }, (_, at) => at);
  const results = await Promise.allSettled(entries.map((entry) => queue.write(entry)));
  expect(results.flatMap((result, at) => (result.status === "rejected" ? [[at, result.reason]] : []))).toEqual([[37, refused]]);
  expect(results.flatMap((result) => (result.status === "fulfilled" ? [result.value / 2] : []))).toEqual(entries.filter((at) => at !== 37));
  expect(written).toEqual(entries.filter((at) => at !== 37));
  // The whole, and two halves of each part that has it.
  expect(writes).toBe(1 + 2 * Math.log2(64));
});

test("what came while a batch was being written waits for what comes between, and a later batch does not", async () => {
  const steps: (string | number)[] = [];
  const queue = new BatchQueue<number, number>({
    count: ({ length }) => length,
    async write(entries) {
      steps.push(...entries);
      if (entries.includes(1)) {
        second = queue.write(2);
      }
      return entries;
    },
    settle: (pending, result) => pending.resolve(result),
    between: async () => void steps.push("between"),
  });
  let second = Promise.resolve(0);
  await queue.write(1);
  await second;
  await queue.drain();
  await queue.write(3);
  expect(steps).toEqual([1, "between", 2, 3]);
  await queue.drain();
});

test("a writer that answers without a promise may throw at once, and drain resolves after all have their answers", async () => {
  const batches: (readonly number[])[] = [];
  const queue = new BatchQueue<number, number>({
    count: () => 2,
    write: (entries) => {
      batches.push(entries);
      if (entries.includes(3)) {
        throw new BelfryError("STORAGE_FAILED", "refused");
      }
      return entries.map((entry) => entry * 2);
    },
    settle: (pending, result) => pending.resolve(result),
  });
  const answers = Promise.allSettled([1, 2, 3, 4, 5].map((entry) => queue.write(entry)));
  await queue.drain();
  expect((await answers).map((answer) => (answer.status === "fulfilled" ? answer.value : answer.reason.code))).toEqual([
    2,
    4,
    "STORAGE_FAILED",
    8,
    10,
  ]);
  expect(batches).toEqual([[1, 2], [3, 4], [3], [4], [5]]);
  await queue.drain();
});

test("others get their turn between batches that are written without a promise", async () => {
  const steps: (string | number)[] = [];
  const queue = new BatchQueue<number, number>({
    count: () => 2,
    write: (entries) => {
      steps.push(...entries);
      return entries;
    },
    settle: (pending, result) => pending.resolve(result),
  });
  const answers = Promise.all([1, 2, 3].map((entry) => queue.write(entry)));
  setImmediate(() => steps.push("other"));
  await answers;
  expect(steps).toEqual([1, 2, "other", 3]);
  await queue.drain();
});

/** A queue that writes without waiting, and the batches that it wrote. */
function queueOf(): { readonly queue: BatchQueue<number, number>; readonly batches: (readonly number[])[] } {
  const batches: (readonly number[])[] = [];
  const queue = new BatchQueue<number, number>({
    count: ({ length }) => length,
    write: (entries) => {
      batches.push(entries);
      return entries;
    },
    settle: (pending, result) => pending.resolve(result),
  });
  return { queue, batches };
}

test("after some lone entries, the next one is written before the turn is over", async () => {
  const { queue } = queueOf();
  for (const entry of [1, 2, 3, 4]) {
    await queue.write(entry);
  }
  const steps: unknown[] = [];
  setImmediate(() => steps.push("others"));
  const written = queue.write(5).then((entry) => steps.push(entry));
  // Not within the call that handed it in.
  expect(steps).toEqual([]);
  await written;
  expect(steps).toEqual([5]);
});

test("entries that come one after another are written within a turn, a few of them, so that others get theirs", async () => {
  const { queue } = queueOf();
  let turns = 0;
  const count = () => {
    turns += 1;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  for (let entry = 0; entry < 90; entry += 1) {
    await queue.write(entry);
  }
  clearImmediate(counting);
  // The clock may end a turn earlier, so there may be more of them, and never fewer than one for eight at once and one that waits.
  expect(turns).toBeGreaterThanOrEqual(10);
});

test("what comes in one turn shares a batch again once several came, however many were lone before", async () => {
  const { queue, batches } = queueOf();
  for (let entry = 0; entry < 50; entry += 1) {
    await queue.write(entry);
  }
  expect(batches.every(({ length }) => length === 1)).toBe(true);
  // Callers that know nothing of each other, such as requests: each in a callback of its own.
  const together = (first: number) =>
    Promise.all(Array.from({ length: 20 }, (_, at) => new Promise((resolve) => setImmediate(() => resolve(queue.write(first + at))))));
  await together(100);
  const before = batches.length;
  await together(200);
  await together(300);
  expect(batches.slice(before).map(({ length }) => length)).toEqual([20, 20]);
  // The first time it took a few to see that others come.
  expect(before - 50).toBeLessThanOrEqual(9);
});
