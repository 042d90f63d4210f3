import { expect, test } from "vitest";
import { TurnQueue } from "../work/timing.ts";
import type { DeliveryContext } from "./context.ts";
import type { DeliveryStorage } from "./delivery-storage.ts";
import { TrackedNotifications } from "./tracked-notifications.ts";

test("four lists at once read a few sends in each turn of the event loop, and never two of them in one", async () => {
  const turns = { count: 0, isOver: false };
  const count = () => {
    turns.count += 1;
    if (!turns.isOver) {
      setImmediate(count);
    }
  };
  const reads: { readonly turn: number; readonly sends: number }[] = [];
  const note = async <Result>(count: number, result: Result): Promise<Result> => {
    reads.push({ turn: turns.count, sends: count });
    return result;
  };
  const deliveries: Partial<DeliveryStorage> = {
    listSends: () => note(0, { sends: [], total: 0 }),
    deliveriesOf: (_, ids) => note(ids.length, []),
  };
  const context = { ready: async () => ({ [Symbol.dispose]: () => {} }), turns: new TurnQueue(), deliveries } as unknown as DeliveryContext;
  const sends = new TrackedNotifications("acme", context);
  const ids = Array.from({ length: 80 }, () => crypto.randomUUID());
  const ends: number[] = [];
  setImmediate(count);
  await Promise.all(
    [1, 2, 3, 4].map(async () => {
      await sends.list({});
      await sends.firstDeliveries(ids, 20);
      ends.push(turns.count);
    }),
  );
  turns.isOver = true;
  expect(Math.max(...reads.map(({ sends }) => sends))).toBeLessThanOrEqual(10);
  expect(reads.reduce((sum, { sends }) => sum + sends, 0)).toBe(320);
  const busy = [...reads.map(({ turn }) => turn), ...ends];
  expect(new Set(busy).size).toBe(busy.length);
});
