import { expect, test } from "vitest";
import { sendWriter } from "./create-send.ts";
import type { DeliveryStorage, NewSend, SendCreated } from "./delivery-storage.ts";

/** A send for an inbox, or for the throttles of some users. */
function sendOf(inboxRecipients: readonly string[], throttled: readonly string[] = []): NewSend {
  const questions = throttled.map((userId) => ({ userId, type: "comment", channel: "email", max: 1, perMs: 1_000 }));
  const throttles = questions.length === 0 ? null : { questions, decided: () => sendOf(inboxRecipients, throttled) };
  return { notification: { tenant: "t" }, inboxRecipients, throttles, deliveries: [], idempotency: null } as unknown as NewSend;
}

const created: SendCreated = { kind: "created", items: [] };

test("what is held puts off the sends that need it, in one lane for the same, and no others", async () => {
  const { promise: isFree, resolve: free } = Promise.withResolvers<void>();
  const waited: number[] = [];
  const storage: Pick<DeliveryStorage, "createSends" | "createFreeSends"> = {
    async createFreeSends(sends) {
      const isHeld = ({ inboxRecipients, throttles }: NewSend) =>
        inboxRecipients.includes("ann") || throttles?.questions.some(({ userId }) => userId === "bob") === true;
      return sends.map((send) => (isHeld(send) ? null : created));
    },
    async createSends(sends) {
      await isFree;
      waited.push(sends.length);
      return sends.map(() => created);
    },
  };
  const writer = sendWriter(storage as DeliveryStorage, () => new Date(0));
  const held = [sendOf(["ann"]), sendOf(["ann"]), sendOf([], ["bob"]), sendOf([], ["bob"]), sendOf([], ["bob"])];
  const late = held.map((send) => writer.write(send));
  expect(await Promise.all([writer.write(sendOf(["cat"])), writer.write(sendOf([], ["dan"]))])).toEqual([created, created]);
  expect(await writer.write(sendOf(["eve"]))).toEqual(created);
  expect(waited).toEqual([]);
  free();
  expect(await Promise.all(late)).toEqual(held.map(() => created));
  await writer.drain();
  // The first of a lane found it held; those that came meanwhile are written together.
  expect(waited.reduce((sum, count) => sum + count, 0)).toBe(held.length);
  expect(waited.length).toBeLessThan(held.length);
});
