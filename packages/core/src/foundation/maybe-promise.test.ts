import { expect, test } from "vitest";
import { andThen, attempt } from "./maybe-promise.ts";

/** As a promise of another library: a value of no class that this one knows. */
const foreign = (value: number) =>
  ({ then: (next: (value: number) => void) => void setTimeout(next, 0, value) }) as unknown as Promise<number>;
const double = (value: number) => value * 2;
const text = (error: unknown) => `failed: ${String(error)}`;

test("goes on at once with what is there, and later with a promise of any class", async () => {
  expect(andThen(2, double)).toBe(4);
  expect(await andThen(Promise.resolve(2), double)).toBe(4);
  expect(await andThen(foreign(2), double)).toBe(4);
});

test("what a step throws and what it rejects with are the same failure", async () => {
  const fail = (): string => {
    throw new Error("no");
  };
  expect(attempt(() => "fine", text)).toBe("fine");
  expect(attempt(fail, text)).toBe("failed: Error: no");
  expect(await attempt(async () => fail(), text)).toBe("failed: Error: no");
});
