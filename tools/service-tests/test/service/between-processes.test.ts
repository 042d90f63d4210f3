import { defineTypes, NotificationService, type NotificationServiceOptions } from "@belfry/core";
import type { Transport } from "@belfry/core/storage";
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

  /** Has an endpoint begin to rest in a process: all of its attempts fail there, and none in the other one, whose first look is over. */
  async function letRest(process: NotificationService, other: NotificationService, state: { works: boolean }): Promise<void> {
    await other.runDue();
    state.works = false;
    for (const number of ["1", "2", "3", "4", "5"]) {
      await process.create(mail(number));
      await process.runDue();
    }
    state.works = true;
  }

  test("an endpoint that begins to rest in one process rests in every other as soon as that has tidied up", async () => {
    const { clock, one, other, state, titles } = await twoProcesses();
    const isHeard = await hearing(one, other);
    await letRest(one, other, state);
    await isHeard();
    // Else it takes what is due.
    await one.stop();
    await clock.skip(1_000);
    await other.runDue();
    await other.create(mail("6"));
    await other.runDue();
    expect(titles()).toEqual(["1", "2", "3", "4", "5"]);
    expect(await other.operator.endpoints.resume({ channel: "email", recipient: "ann@example.com" })).toBe(true);
    await other.runDue();
    await expect.poll(titles).toContain("6");
  });

  test("a process that may have missed signals looks which endpoints rest", async () => {
    let missed = () => {};
    const deaf: Transport = {
      pollIntervalMs: 0,
      async start(listener) {
        missed = () => listener.onGap();
      },
      publish() {},
      async stop() {},
    };
    const { clock, one, other, state, titles } = await twoProcesses({ transport: deaf });
    await letRest(one, other, state);
    await one.stop();
    missed();
    await clock.skip(1_000);
    await other.runDue();
    await other.create(mail("6"));
    await other.runDue();
    expect(titles()).toEqual(["1", "2", "3", "4", "5"]);
  });
});
