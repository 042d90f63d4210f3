import { afterEach, expect, test, vi } from "vitest";
import { consoleLogger } from "./logger.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

test("the console gets a message with its fields, and alone where there are none", () => {
  const warn = vi.spyOn(console, "warn").mockReturnValue();
  const error = vi.spyOn(console, "error").mockReturnValue();
  consoleLogger.warn({}, "Alone.");
  consoleLogger.warn({ channel: "email" }, "Failed.");
  consoleLogger.error({}, "Alone, too.");
  expect(warn.mock.calls).toEqual([["Alone."], ["Failed.", { channel: "email" }]]);
  expect(error.mock.calls).toEqual([["Alone, too."]]);
});
