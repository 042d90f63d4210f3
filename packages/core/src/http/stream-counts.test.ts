import { expect, test } from "vitest";
import type { HandlerOptions } from "./handler-options.ts";
import type { SocketCounts } from "./socket-counts.ts";
import { StreamCounts } from "./stream-counts.ts";

const from = (remoteAddress: string) => ({ method: "GET", url: "/", headers: {}, body: async () => new Uint8Array(), remoteAddress });

function countsWith(options: Pick<HandlerOptions, "maxSocketsPerAddress" | "socketCounts">, random = () => 0) {
  const lines: object[] = [];
  let nowMs = 0;
  const logger = { debug() {}, info() {}, error() {}, warn: (fields: object) => void lines.push(fields) };
  const counts = new StreamCounts({ ...options, logger, clock: { now: () => nowMs, after: () => () => {} } }, random);
  const isFull = (address: string) => {
    try {
      counts.check(from(address));
      return false;
    } catch {
      return true;
    }
  };
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { counts, isFull, lines, pass };
}

test("an address may have as many streams as the limit, and one more after one has ended", () => {
  const { counts, isFull } = countsWith({ maxSocketsPerAddress: 2 });
  const counted = counts.add(from("8.8.8.8"));
  expect(isFull("8.8.8.8")).toBe(false);
  counts.add(from("8.8.8.8"));
  expect([isFull("8.8.8.8"), isFull("9.9.9.9")]).toEqual([true, false]);
  counted.takeOff();
  counted.takeOff();
  expect(isFull("8.8.8.8")).toBe(false);
  counts.add(from("8.8.8.8"));
  expect(isFull("8.8.8.8")).toBe(true);
});

test("those who are refused are told to come back at different times, none before half a minute", () => {
  const draws = [0, 0.25, 1];
  const { counts } = countsWith({ maxSocketsPerAddress: 1 }, () => draws.shift() ?? 0);
  counts.add(from("8.8.8.8"));
  for (const retryAfterMs of [30_000, 37_500, 60_000]) {
    expect(() => counts.check(from("8.8.8.8"))).toThrow(expect.objectContaining({ details: { retry_after_ms: retryAfterMs } }));
  }
});

test("a /64 of IPv6 is one address; a private one counts only where the host sets a number", () => {
  const { counts, isFull } = countsWith({ maxSocketsPerAddress: 1 });
  counts.add(from("2001:db8::1"));
  counts.add(from("10.0.0.1"));
  expect([isFull("2001:db8::2"), isFull("2001:db8:0:1::1"), isFull("10.0.0.1")]).toEqual([true, false, true]);
  const byDefault = countsWith({});
  for (let count = 0; count < 1_001; count += 1) {
    byDefault.counts.add(from("10.0.0.1"));
    byDefault.counts.add(from("8.8.8.8"));
  }
  expect([byDefault.isFull("10.0.0.1"), byDefault.isFull("8.8.8.8")]).toEqual([false, true]);
  const unlimited = countsWith({ maxSocketsPerAddress: false });
  unlimited.counts.add(from("8.8.8.8"));
  expect(unlimited.isFull("8.8.8.8")).toBe(false);
});

test("refusals are logged once a minute, with their number", () => {
  const { counts, isFull, lines, pass } = countsWith({ maxSocketsPerAddress: 1 });
  counts.add(from("8.8.8.8"));
  for (let count = 0; count < 50; count += 1) {
    isFull("8.8.8.8");
  }
  expect(lines).toEqual([{}]);
  pass(60_000);
  isFull("8.8.8.8");
  expect(lines).toEqual([{}, { timesSinceTheLastLine: 50 }]);
});

/** Two processes that know of each other, and what one of them told the other. */
function twoProcesses(max: number) {
  const noted = [new Map<string, number>(), new Map<string, number>()] as const;
  const of = (own: 0 | 1): SocketCounts => ({
    async note(key, open) {
      noted[own].set(key, open);
      return noted[own === 0 ? 1 : 0].get(key) ?? 0;
    },
  });
  const [one, two] = [
    countsWith({ maxSocketsPerAddress: max, socketCounts: of(0) }),
    countsWith({ maxSocketsPerAddress: max, socketCounts: of(1) }),
  ];
  return { one: one.counts, two: two.counts, lines: two.lines };
}

test("an address may have as many as the limit over all processes", async () => {
  const { one, two, lines } = twoProcesses(3);
  const request = from("8.8.8.8");
  one.add(request);
  const counted = one.add(request);
  await two.checkAll(request);
  await two.begin(request).letIn();
  two.check(request);
  await expect(two.checkAll(request)).rejects.toMatchObject({ code: "RATE_LIMITED", details: { retry_after_ms: 30_000 } });
  expect(lines).toEqual([{}]);
  counted.takeOff();
  await two.checkAll(request);
  await two.checkAll(from("9.9.9.9"));
});

test("sockets that are being opened take room in their own process alone, so that no two processes refuse all of a crowd", async () => {
  const { one, two } = twoProcesses(3);
  const request = from("8.8.8.8");
  one.add(request);
  one.add(request);
  const crowd = [two, two, two].map((counts) => counts.begin(request));
  expect(() => two.check(request)).toThrow("too many streams and sockets");
  await one.begin(request).letIn();
  const refused = crowd.map((one) => expect(one.letIn()).rejects.toMatchObject({ code: "RATE_LIMITED" }));
  await Promise.all(refused);
  for (const one of crowd) {
    one.takeOff();
  }
  two.check(request);
});

test("of a crowd that a process lets in at once, as many come in as there is room for", async () => {
  const { one, two } = twoProcesses(3);
  const request = from("8.8.8.8");
  one.add(request);
  const outcomes = await Promise.allSettled([two, two, two].map((counts) => counts.begin(request).letIn()));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
  await expect(one.checkAll(request)).rejects.toMatchObject({ code: "RATE_LIMITED" });
});

test("a process that cannot know of others counts its own, says so once, and waits for nobody where no one else counts", async () => {
  const away = countsWith({ maxSocketsPerAddress: 1, socketCounts: { note: () => Promise.reject(new Error("It is away.")) } });
  await away.counts.checkAll(from("8.8.8.8"));
  away.counts.add(from("8.8.8.8"));
  await expect(away.counts.checkAll(from("8.8.8.8"))).rejects.toMatchObject({ code: "RATE_LIMITED" });
  expect(away.lines).toEqual([{ error: new Error("It is away.") }, {}]);
  expect(countsWith({ maxSocketsPerAddress: 1 }).counts.checkAll(from("8.8.8.8"))).toBe(undefined);
});
