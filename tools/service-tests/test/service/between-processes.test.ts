import { defineTypes, NotificationService, type NotificationServiceOptions } from "@belfry/core";
import { recorder, testClock } from "@belfry/testkit/host";
import { expect, test } from "vitest";
import { sharedTransports } from "../audiences/shared-transports.ts";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const types = defineTypes({ mail: { channels: { email: true } }, note: {} });

onEveryStorage((database) => {
  /** Services of two processes whose clock hardly moves: neither looks for what nobody told it of. */
  async function twoProcesses(options: Partial<NotificationServiceOptions> = {}) {
    const clock = testClock(new Date("2030-01-09T12:30:00Z"));
    const transports = sharedTransports(database);
    const state = { works: true };
    const busy = { status: "failed", transient: true, error: "busy" } as const;
    const mails = recorder({ answer: () => (state.works ? { status: "delivered" } : busy) });
    const open = async (more: Partial<NotificationServiceOptions> = {}) => {
      const parts = { storage: database.storage(), clock, types, channels: [mails], logger: silent };
      const service = stopsAfterTest(new NotificationService({ ...parts, ...transports(), ...more }));
      await service.start();
      return service;
    };
    return { clock, state, one: await open(), other: await open(options), titles: () => mails.tasks.map(({ title }) => title) };
  }

  /** A function that resolves once `other` heard what `one` said before. */
  async function hearing(one: NotificationService, other: NotificationService): Promise<() => Promise<void>> {
    let heard = 0;
    const onEvent = () => {
      heard += 1;
    };
    await other.inbox("eve").subscribe({ onEvent, onState: () => {} }).ready;
    return async () => {
      const before = heard;
      await one.create({ type: "note", to: "eve", title: "x" });
      await expect.poll(() => heard).toBeGreaterThan(before);
    };
  }

  const mail = (title: string) => ({ type: "mail", to: { email: "ann@example.com" }, title }) as const;

  test("a process without a worker calls that of another one for what is to be delivered", async () => {
    const { other, clock, titles } = await twoProcesses({ delivery: { worker: false } });
    await other.create(mail("1"));
    await expect.poll(titles).toEqual(["1"]);
    // Those that come at once share a call.
    await Promise.all([other.create(mail("2")), other.create(mail("3"))]);
    await clock.skip(100);
    await expect.poll(() => titles().toSorted()).toEqual(["1", "2", "3"]);
  });

  test("a pause holds at once in every process, and so does its end", async () => {
    const { one, other, titles } = await twoProcesses();
    const isHeard = await hearing(one, other);
    await other.create(mail("1"));
    await expect.poll(titles).toEqual(["1"]);
    await one.operator.pauses.pause({ channel: "email" });
    await isHeard();
    await other.create(mail("2"));
    await other.runDue();
    expect(titles()).toEqual(["1"]);
    await one.operator.pauses.resume({ channel: "email" });
    await isHeard();
    await other.create(mail("3"));
    await other.runDue();
    await expect.poll(titles).toContain("3");
  });

  test("an endpoint that begins to rest in one process rests at once in every other, and so does its end", async () => {
    const { one, other, state, titles } = await twoProcesses({ delivery: { worker: false } });
    const isHeard = await hearing(one, other);
    state.works = false;
    for (const number of ["1", "2", "3", "4", "5"]) {
      await one.create(mail(number));
      await one.runDue();
    }
    expect(titles()).toEqual(["1", "2", "3", "4", "5"]);
    await isHeard();
    await one.create(mail("6"));
    await other.runDue();
    expect(titles()).toHaveLength(5);
    state.works = true;
    expect(await one.operator.endpoints.resume({ channel: "email", recipient: "ann@example.com" })).toBe(true);
    await isHeard();
    await other.runDue();
    // The other worker may have it in hand.
    await expect.poll(titles).toContain("6");
  });
});
