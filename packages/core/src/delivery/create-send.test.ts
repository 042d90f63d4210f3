import { expect, test } from "vitest";
import { systemClock } from "../foundation/clock.ts";
import type { WaitingSend } from "./begin-at-once.ts";
import { sendWriter } from "./create-send.ts";
import type { DeliveryStorage } from "./delivery-storage.ts";
import type { NewSend, SendCreated } from "./new-send.ts";

/** A send for an inbox, or for the throttles of some users. */
function sendOf(inboxRecipients: readonly string[], throttled: readonly string[] = []): NewSend {
  const questions = throttled.map((userId) => ({ userId, type: "comment", channel: "email", max: 1, perMs: 1_000 }));
  const throttles = questions.length === 0 ? null : { questions, decided: () => sendOf(inboxRecipients, throttled) };
  return { notification: { tenant: "t" }, inboxRecipients, throttles, deliveries: [], idempotency: null } as unknown as NewSend;
}

const waiting = (plain: NewSend): WaitingSend => ({ plain, withTurns: null });

const created: SendCreated = { kind: "created", items: [] };

test("what is held puts off the sends that need it, in one lane for the same, and no others", async () => {
  const { promise: isFree, resolve: end } = Promise.withResolvers<void>();
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
  /** The sends that have turns of the worker. */
  const withTurns = new Set<NewSend>();
  const reserveTurns = (send: NewSend) => {
    withTurns.add(send);
    return { send, settle: () => void withTurns.delete(send) };
  };
  const writer = sendWriter(storage as DeliveryStorage, systemClock, reserveTurns);
  const held = [sendOf(["ann"]), sendOf(["ann"]), sendOf([], ["bob"]), sendOf([], ["bob"]), sendOf([], ["bob"])];
  const late = held.map((send) => writer.write(waiting(send)));
  const free = [sendOf(["cat"]), sendOf([], ["dan"]), sendOf(["eve"])];
  expect(await Promise.all(free.slice(0, 2).map((send) => writer.write(waiting(send))))).toEqual([created, created]);
  expect(await writer.write(waiting(free[2] as NewSend))).toEqual(created);
  // Others need them while these wait.
  expect(withTurns).toEqual(new Set(free));
  expect(waited).toEqual([]);
  end();
  expect(await Promise.all(late)).toEqual(held.map(() => created));
  await writer.drain();
  // The first of a lane found it held; those that came meanwhile are written together.
  expect(waited.reduce((sum, count) => sum + count, 0)).toBe(held.length);
  expect(waited.length).toBeLessThan(held.length);
});
