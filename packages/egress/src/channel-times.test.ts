import { expect, test } from "vitest";
import { type ChannelTimes, faultOfTimes } from "./channel-times.ts";

test.each([{ timeoutMs: 1 }, { timeoutMs: 30_000, retryDelaysMs: [] }, { timeoutMs: 2 ** 31 - 1, retryDelaysMs: [0, 1.5, 86_400_000] }])(
  "%j are times",
  (times) => {
    expect(faultOfTimes(times)).toBeNull();
  },
);

const TIMEOUT = "timeoutMs must be a whole number of milliseconds from 1 to 2147483647, is";
const DELAYS = "retryDelaysMs must be a list of milliseconds from 0,";
test.each<[Readonly<Record<string, unknown>>, string]>([
  [{ timeoutMs: 0 }, `${TIMEOUT} 0`],
  // AbortSignal.timeout would throw at each attempt.
  [{ timeoutMs: 1.5 }, `${TIMEOUT} 1.5`],
  [{ timeoutMs: Number.POSITIVE_INFINITY }, `${TIMEOUT} Infinity`],
  [{ timeoutMs: 1e12 }, `${TIMEOUT} 1000000000000`],
  [{ timeoutMs: "5" }, `${TIMEOUT} "5"`],
  [{ timeoutMs: 5n }, `${TIMEOUT} of the type bigint`],
  [{ timeoutMs: null }, `${TIMEOUT} null`],
  [{ timeoutMs: 1, retryDelaysMs: -1 }, `${DELAYS} is -1`],
  [{ timeoutMs: 1, retryDelaysMs: [1, "x"] }, `${DELAYS} has "x"`],
  [{ timeoutMs: 1, retryDelaysMs: () => 1 }, `${DELAYS} is of the type function`],
])("%s are refused with the value", (times, fault) => {
  expect(faultOfTimes(times as unknown as ChannelTimes)).toBe(fault);
});
