import { askThrottle, type IdempotencyKey, type NewSend, type ThrottleQuestion } from "@belfry/core/storage";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectTrueStatus, newSend } from "../delivery/send-entries.ts";
import { at, type Fixture, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { inTurn } from "../in-turn.ts";
import { eraseAll } from "../steps.ts";

const RUNS = process.env.BELFRY_LONG ? 100 : 10;

/** Lets a transaction fail once something is written in it. */
function failAfter(written: void | Promise<void>): void | Promise<void> {
  const fail = () => {
    throw new Error("refused");
  };
  return written instanceof Promise ? written.then(fail) : fail();
}

/** A send with a delivery for each question, and the answers that it got. */
function throttledSend(
  fixture: Fixture,
  questions: readonly ThrottleQuestion[],
  { tenant, createdAt }: Pick<NewSend["notification"], "tenant" | "createdAt">,
  key: Pick<IdempotencyKey, "key" | "bodyHash"> | null = null,
) {
  let answers: readonly boolean[] = [];
  const made = newSend(fixture, { tenant, channel: "email", to: questions.map(({ userId }, index) => `${userId} ${index}`) });
  const answered = (status: string): NewSend["idempotency"] => (key === null ? null : { ...key, response: status });
  const send: NewSend = { ...made, notification: { ...made.notification, createdAt }, idempotency: answered("pending") };
  const decided = (allowed: readonly boolean[]): NewSend => {
    answers = allowed;
    const deliveries = made.deliveries.map((delivery, index) =>
      allowed[index] === false
        ? ({ ...delivery, status: "skipped", reason: "throttled", reasonSource: "type", dueInMs: null } as const)
        : delivery,
    );
    return { ...send, deliveries, idempotency: answered(allowed.includes(true) ? "pending" : "skipped") };
  };
  return { send: { ...send, throttles: { questions, decided } }, answers: () => answers };
}

/** The promises of throttles. */
export function throttleTests(harness: StorageHarness): void {
  describe("throttles", () => {
    const fixture = useFixture(harness);
    const ms = (value: number) => new Date(at(0).getTime() + value);
    const use = async (questions: readonly ThrottleQuestion[], afterMs: number, tenant = fixture.tenant) => {
      const { send, answers } = throttledSend(fixture, questions, { tenant, createdAt: ms(afterMs) });
      await fixture.storage.deliveries.createSends([send], ms(afterMs));
      return answers();
    };
    const ask = (more: Partial<ThrottleQuestion> = {}): ThrottleQuestion => ({
      ...{ userId: "ann", type: "comment", channel: "email", max: 2, perMs: 1_000 },
      ...more,
    });

    test("let so many pass at once, then one for each part of their time", async () => {
      const answers: boolean[] = [];
      for (const afterMs of [0, 0, 0, 499, 500, 500, 5_000, 5_000, 5_000]) {
        answers.push(...(await use([ask()], afterMs)));
      }
      expect(answers).toEqual([true, true, false, false, true, false, true, true, false]);
    });

    test("are those of one user, type, channel and tenant", async () => {
      const others = [ask({ userId: "bob" }), ask({ channel: "push" }), ask({ max: 1, channel: "sms" })];
      expect(await use([ask({ max: 1 }), ...others], 0)).toEqual([true, true, true, true]);
      expect(await use([ask({ max: 1 }), ...others], 0)).toEqual([false, true, true, false]);
      expect(await use([ask({ max: 1, type: "like" }), ask({ max: 1 })], 0)).toEqual([true, false]);
      expect(await use([ask({ max: 1 })], 0, `${fixture.tenant} b`)).toEqual([true]);
    });

    test("answer as the algorithm does, and say what was used", async () => {
      const question = fc.record({ userId: fc.constantFrom("ann", "bob"), pauseMs: fc.integer({ min: 0, max: 2_000 }) });
      const throttle = fc.record({ max: fc.integer({ min: 1, max: 20 }), perMs: fc.integer({ min: 1_000, max: 10_000 }) });
      let run = 0;
      await fc.assert(
        fc.asyncProperty(throttle, fc.array(question, { maxLength: 20 }), async (limits, asked) => {
          run += 1;
          const type = `type ${run}`;
          const freeAt = new Map<string, number>();
          let now = at(0).getTime();
          for (const { userId, pauseMs } of asked) {
            now += pauseMs;
            const expected = askThrottle(limits, freeAt.get(userId) ?? null, now);
            freeAt.set(userId, expected.freeAt);
            const [isAllowed] = await use([ask({ ...limits, userId, type })], now - at(0).getTime());
            expect(isAllowed).toBe(expected.isAllowed);
            const stored = await fixture.storage.decisions.throttleFreeAt(fixture.owner(userId), { type, channel: "email" });
            expect(stored).toBeCloseTo(expected.freeAt, 0);
          }
        }),
        { numRuns: RUNS },
      );
    });

    test("let no more pass however many ask at once", async () => {
      const asked = Array.from({ length: 20 }, () => use([ask({ userId: "ann" }), ask({ userId: "bob" })], 0));
      const answers = await Promise.all(asked);
      expect([0, 1].map((index) => answers.filter((one) => one[index]).length)).toEqual([2, 2]);
    });

    test("are asked for the sends of one call one after the other", async () => {
      const sends = [1, 2, 3].map(() => throttledSend(fixture, [ask()], { tenant: fixture.tenant, createdAt: ms(0) }));
      const created = await fixture.storage.deliveries.createSends(
        sends.map(({ send }) => send),
        ms(0),
      );
      expect(sends.map(({ answers }) => answers())).toEqual([[true], [true], [false]]);
      expect(created.map((one) => one.kind === "created" && one.throttled?.deliveries.map(({ status }) => status))).toEqual([
        ["pending"],
        ["pending"],
        ["skipped"],
      ]);
      const statuses = sends.map(({ send }) => fixture.storage.deliveries.findSend(fixture.tenant, send.notification.id));
      expect((await Promise.all(statuses)).map((one) => one?.status)).toEqual(["pending", "pending", "skipped"]);
      for (const { send } of sends) {
        await expectTrueStatus(fixture, send.notification.id);
      }
    });

    test("are used with the transaction that writes the send, and by no other", async () => {
      const only = ask({ max: 1 });
      const within = async (fails: boolean) => {
        const { send, answers } = throttledSend(fixture, [only], { tenant: fixture.tenant, createdAt: ms(0) });
        const transaction = fixture.subject.transaction((tx) => {
          const written = fixture.storage.deliveries.createSendWithin(tx, send, () => undefined);
          return fails ? failAfter(written) : written;
        });
        await (fails ? expect(transaction).rejects.toThrow("refused") : transaction);
        return answers();
      };
      expect([await within(true), await within(false), await within(false)]).toEqual([[true], [true], [false]]);
    });

    test("are not used by the repetition of a send, which is answered what the first one was", async () => {
      const { deliveries } = fixture.storage;
      await use([ask({ max: 1 })], 0);
      const key = { key: `throttled ${fixture.tenant}`, bodyHash: "hash" };
      const repeat = async () => {
        const { send } = throttledSend(fixture, [ask({ max: 1 })], { tenant: fixture.tenant, createdAt: ms(2_000) }, key);
        const [created] = await deliveries.createSends([send], ms(2_000));
        return created;
      };
      expect((await repeat())?.kind).toBe("created");
      expect(await use([ask({ max: 1 })], 2_000)).toEqual([false]);
      expect(await repeat()).toMatchObject({ kind: "repeated", response: "pending" });
      const refused = { ...key, key: `${key.key} refused` };
      const send = () => throttledSend(fixture, [ask({ max: 1 })], { tenant: fixture.tenant, createdAt: ms(2_000) }, refused).send;
      await deliveries.createSends([send()], ms(2_000));
      expect(await deliveries.createSends([send()], ms(2_000))).toMatchObject([{ kind: "repeated", response: "skipped" }]);
    });

    // A storage with a single writer cannot write beside an open transaction.
    test.skipIf(harness.singleWriter).each<[string, boolean]>([
      ["one it has used", true],
      ["one it has just made", false],
    ])("that an open transaction of the host holds, %s, put off the sends that need them, and no others", async (_, isThere) => {
      const { deliveries } = fixture.storage;
      if (isThere) {
        await use([ask({ max: 9 })], 0);
      }
      const made = (userIds: readonly string[]) => {
        const questions = userIds.map((userId) => ask({ userId, max: 9 }));
        return throttledSend(fixture, questions, { tenant: fixture.tenant, createdAt: ms(0) }).send;
      };
      const inbox = newSend(fixture, { to: ["ann"] });
      const sends = [made(["ann"]), made(["bob"]), made(["cat", "ann"]), inbox];
      const waiting: ReturnType<typeof deliveries.createSends>[] = [];
      let answers: Awaited<ReturnType<typeof deliveries.createFreeSends>> = [];
      await fixture.subject.transaction((tx) =>
        inTurn(
          () => deliveries.createSendWithin(tx, made(["ann"]), () => undefined),
          async () => {
            answers = await deliveries.createFreeSends(sends, ms(0));
            waiting.push(deliveries.createSends([made(["ann", "dan"]), made(["ann"])], ms(0)));
          },
        ),
      );
      expect(answers.map((one) => one?.kind)).toEqual([undefined, "created", undefined, "created"]);
      expect((await Promise.all(waiting)).flat().map(({ kind }) => kind)).toEqual(["created", "created"]);
      // What was left out was not written.
      const again = await deliveries.createFreeSends(sends, ms(0));
      expect(again.map((one) => one?.kind)).toEqual(["created", "created", "created", "created"]);
      for (const { notification } of sends) {
        await expectTrueStatus(fixture, notification.id);
      }
    });

    test.skipIf(harness.singleWriter)("sends to an inbox that an open transaction of the host holds are put off, too", async () => {
      const { deliveries } = fixture.storage;
      const sends = [newSend(fixture, { to: ["ann"] }), newSend(fixture, { to: ["bob"] })];
      let answers: Awaited<ReturnType<typeof deliveries.createFreeSends>> = [];
      await fixture.subject.transaction((tx) =>
        inTurn(
          () => fixture.inbox.createWithin(tx, fixture.entry("ann"), () => undefined),
          async () => {
            answers = await deliveries.createFreeSends(sends, ms(0));
          },
        ),
      );
      expect(answers.map((one) => one?.kind)).toEqual([undefined, "created"]);
      expect(await deliveries.createFreeSends(sends, ms(0))).toMatchObject([{ items: [{ seq: 2 }] }, { items: [{ seq: 1 }] }]);
    });

    test.skipIf(harness.singleWriter)("a send that waits for an inbox does not hold its key meanwhile", async () => {
      const { deliveries } = fixture.storage;
      const idempotency = { key: `waiting ${fixture.tenant}`, bodyHash: "hash", response: "{}" };
      const keyed = (to: string) => newSend(fixture, { to: [to], idempotency });
      let waiting: ReturnType<typeof deliveries.createSends> | undefined;
      const answers: Awaited<ReturnType<typeof deliveries.createFreeSends>>[] = [];
      await fixture.subject.transaction((tx) =>
        inTurn(
          () => fixture.inbox.createWithin(tx, fixture.entry("ann"), () => undefined),
          async () => {
            waiting = deliveries.createSends([keyed("ann")], ms(0));
            // By then it waits.
            await new Promise((resolve) => setTimeout(resolve, 100));
            answers.push(await deliveries.createFreeSends([keyed("bob"), newSend(fixture, { to: ["cat"] })], ms(0)));
          },
        ),
      );
      expect(answers.flat().map((one) => one?.kind)).toEqual(["created", "created"]);
      expect(await waiting).toMatchObject([{ kind: "repeated" }]);
    });

    test("are forgotten once they are free, and with their user", async () => {
      const { decisions } = fixture.storage;
      const freeAt = (userId: string) => decisions.throttleFreeAt(fixture.owner(userId), { type: "comment", channel: "email" });
      await use([ask(), ask({ userId: "bob" }), ask({ userId: "cat", max: 1, perMs: 60_000 })], 0);
      await decisions.pruneThrottles(ms(500));
      expect([await freeAt("ann"), await freeAt("cat")]).toEqual([null, ms(60_000).getTime()]);
      await eraseAll(() => decisions.erase(fixture.owner("cat"), 10));
      expect(await freeAt("cat")).toBeNull();
    });
  });
}
