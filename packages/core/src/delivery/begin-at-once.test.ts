import { expect, test } from "vitest";
import { reserveTurns } from "./begin-at-once.ts";
import type { ClaimedDelivery } from "./delivery-storage.ts";
import type { NewDelivery, NewSend } from "./new-send.ts";

test("what the deliveries of a send share is copied once, however many they are", () => {
  let reads = 0;
  const data = {
    get text() {
      reads += 1;
      return "long";
    },
  };
  const notification = { tenant: "t", id: "n", createdAt: new Date(0), data };
  const deliveries = Array.from({ length: 1_000 }, (_, chain) => {
    return { id: `d${chain}`, chain, status: "pending", dueInMs: 0, digest: null, reason: null } as unknown as NewDelivery;
  });
  const send = { notification, scheduledAt: null, throttles: null, details: null, deliveries } as unknown as NewSend;
  const tasks: ClaimedDelivery[] = [];
  const lease = { owner: "me", leaseMs: 1 };
  const worker = {
    // Its turns are for few, and it looks at each task to say so.
    reserve(make: (given: typeof lease) => ClaimedDelivery) {
      return tasks.push(make(lease)) > 100 ? null : { lease, begin: () => {}, giveUp: () => {} };
    },
  };
  expect(reserveTurns(worker, send)?.send.deliveries.filter((delivery) => delivery.lease === lease)).toHaveLength(100);
  expect(reads).toBe(1);
  expect(tasks[7]).toMatchObject({ delivery: { id: "d7", attempt: 1, fence: 1 }, notification: { id: "n" }, isOnly: false });
  expect(tasks[7]?.state.chains.pending).toBe(1_000);
});
