import { expect, test } from "vitest";
import type { HandlerOptions } from "./handler-options.ts";
import { StreamCounts } from "./stream-registry.ts";

const from = (remoteAddress: string) => ({ method: "GET", url: "/", headers: {}, body: async () => new Uint8Array(), remoteAddress });

function countsWith(options: Pick<HandlerOptions, "maxSocketsPerAddress">) {
  const lines: object[] = [];
  let nowMs = 0;
  const logger = { debug() {}, info() {}, error() {}, warn: (fields: object) => void lines.push(fields) };
  const counts = new StreamCounts({ ...options, logger, clock: { now: () => nowMs, after: () => () => {} } });
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
  const takeOff = counts.add(from("8.8.8.8"));
  expect(isFull("8.8.8.8")).toBe(false);
  counts.add(from("8.8.8.8"));
  expect([isFull("8.8.8.8"), isFull("9.9.9.9")]).toEqual([true, false]);
  takeOff();
  takeOff();
  expect(isFull("8.8.8.8")).toBe(false);
  counts.add(from("8.8.8.8"));
  expect(isFull("8.8.8.8")).toBe(true);
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
