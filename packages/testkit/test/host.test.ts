import { type BelfryError, type DeliveryTask, systemClock } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { recorder, testClock } from "../src/host/index.ts";

const task = { recipient: "ann", address: "ann@example.com", attempt: 1, title: "Hello" } as DeliveryTask;
const { signal } = new AbortController();

describe("testClock", () => {
  test("runs timers in their order, each at its time, and those that they set on the way", async () => {
    const clock = testClock(new Date(1_000));
    const ran: (readonly [string, number])[] = [];
    const note = (name: string) => () => void ran.push([name, clock.now()]);
    clock.after(200, note("second"));
    clock.after(100, () => {
      note("first")();
      clock.after(150, note("third"));
    });
    const cancel = clock.after(100, note("cancelled"));
    clock.after(301, note("later"));
    cancel();
    await clock.pass(300);
    expect([ran, clock.now(), clock.pending]).toEqual([
      [
        ["first", 1_100],
        ["second", 1_200],
        ["third", 1_250],
      ],
      1_300,
      1,
    ]);
    await clock.passTo(new Date(1_301));
    expect([ran.at(-1), clock.pending]).toEqual([["later", 1_301], 0]);
  });

  test("leaves out the looks after which nothing has happened, but for one after each timer and at the end", async () => {
    const clock = testClock(new Date(0));
    const looks: number[] = [];
    const look = (): void => {
      looks.push(clock.now());
      clock.after(5_000, look, "look");
    };
    clock.after(5_000, look, "look");
    clock.after(3_600_000, () => undefined);
    await clock.pass(86_400_000);
    expect([looks, clock.pending]).toEqual([[5_000, 3_600_000, 86_400_000], 1]);
    await clock.pass(5_000);
    await clock.skip(60_000);
    expect(looks.slice(3)).toEqual([86_405_000, 86_465_000]);
  });

  test("moves until something is so, and gives up in the end", async () => {
    const clock = testClock();
    expect(await clock.until(() => clock.now() >= Date.UTC(2030, 0, 1, 0, 0, 5))).toBe(true);
    expect(new Date(clock.now()).toISOString()).toBe("2030-01-01T00:00:05.000Z");
    expect(await clock.until(() => false)).toBe(false);
  });

  test("skips time at once: what fell due on the way runs once, after the move", async () => {
    const clock = testClock(new Date(1_000));
    const ran: (readonly [string, number])[] = [];
    const every = (name: string, ms: number): void => {
      ran.push([name, clock.now()]);
      clock.after(ms, () => every(name, ms));
    };
    clock.after(200, () => every("slow", 200));
    clock.after(5, () => every("quick", 5));
    await clock.skip(86_400_000);
    expect([ran, clock.pending]).toEqual([
      [
        ["quick", 86_401_000],
        ["slow", 86_401_000],
      ],
      2,
    ]);
    await clock.skipTo("1970-01-02T00:00:01.004Z");
    expect([ran.length, clock.now()]).toEqual([2, 86_401_004]);
  });

  test("moves to a time that is a text, with a zone", async () => {
    const clock = testClock();
    await clock.passTo("2030-01-01T02:00:00.5+01:00");
    expect(new Date(clock.now()).toISOString()).toBe("2030-01-01T01:00:00.500Z");
  });

  test("refuses a time that is over and what is no time, stays where it is, and takes a date to start", async () => {
    const clock = testClock(new Date(systemClock.now()));
    const before = clock.now();
    for (const ms of [-5, Number.NaN, Number.POSITIVE_INFINITY, 9e15, "5" as never, undefined as never]) {
      await expect(clock.pass(ms)).rejects.toMatchObject({
        code: "CONFIGURATION",
        message: expect.stringMatching(/pass takes milliseconds.*; got /),
      });
      await expect(clock.skip(ms)).rejects.toMatchObject({ code: "CONFIGURATION", message: expect.stringContaining("skip takes") });
    }
    const times: readonly (readonly [unknown, string])[] = [
      [new Date(0), "got 1970-01-01T00:00:00.000Z."],
      [new Date(Number.NaN), "got a Date of no time."],
      ["2020-01-01T00:00:00Z", "got 2020-01-01T00:00:00.000Z."],
      ["2090-01-01T00:00", 'got "2090-01-01T00:00".'],
      ["2090-13-01T00:00:00Z", 'got "2090-13-01T00:00:00Z".'],
      [5, "got a value of the type number."],
    ];
    for (const [time, words] of times) {
      await expect(clock.passTo(time as never)).rejects.toMatchObject({ code: "CONFIGURATION", message: expect.stringContaining(words) });
      await expect(clock.skipTo(time as never)).rejects.toMatchObject({ message: expect.stringContaining("skipTo takes a Date") });
    }
    expect(clock.now()).toBe(before);
    expect(() => testClock(0 as never)).toThrow("as a Date");
  });
});

describe("recorder", () => {
  test("keeps each attempt, and answers that it is delivered", async () => {
    const mails = recorder();
    expect(await mails.deliver(task, signal)).toEqual({ status: "delivered", provider: "email" });
    await mails.deliver({ ...task, recipient: "bob@example.com", address: "bob@example.com" }, signal);
    expect([mails.tasks.length, mails.of("ann"), mails.of("bob@example.com").length, mails.of("carl")]).toEqual([2, [task], 1, []]);
    mails.clear();
    expect(mails.tasks).toEqual([]);
  });

  test("tells addresses from ids, and answers as it is told", async () => {
    const mails = recorder();
    expect(["ann", "ann@example.com", "https://example.com"].map((one) => mails.invalidRecipient(one) === null)).toEqual([
      false,
      true,
      true,
    ]);
    const rooms = recorder({
      name: "chat",
      isAddress: (recipient) => recipient.startsWith("#"),
      retryDelaysMs: [1_000],
      answer: ({ attempt }) => (attempt === 1 ? { status: "failed", transient: true, provider: "chat", error: "busy" } : undefined),
    });
    expect([rooms.name, rooms.invalidRecipient("#a"), rooms.invalidRecipient("a"), rooms.retryDelaysMs]).toEqual([
      "chat",
      null,
      "is no address for chat",
      [1_000],
    ]);
    expect((await rooms.deliver(task, signal)).status).toBe("failed");
    expect((await rooms.deliver({ ...task, attempt: 2 }, signal)).status).toBe("delivered");
  });

  test("gives its name as the provider of an outcome that names none", async () => {
    const chat = recorder({ name: "chat", answer: () => ({ status: "failed", transient: true, error: "busy" }) });
    expect(await chat.deliver(task, signal)).toEqual({ status: "failed", transient: true, error: "busy", provider: "chat" });
    const mails = recorder({ answer: () => ({ status: "delivered", provider: "smtp" }) });
    expect(await mails.deliver(task, signal)).toEqual({ status: "delivered", provider: "smtp" });
  });

  test("refuses an option that it does not have", () => {
    const refused = (): unknown => recorder({ nam: "chat" } as never);
    expect(refused).toThrow(expect.objectContaining({ code: "CONFIGURATION" } satisfies Partial<BelfryError>));
  });
});
