import { expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "./clock.ts";

test("a delay that is longer than timers last is as long as they do, and not over at once", () => {
  const setTimeout = vi.spyOn(globalThis, "setTimeout");
  onTestFinished(() => void setTimeout.mockRestore());
  systemClock.after(1e12, () => {})();
  expect(setTimeout).toHaveBeenCalledWith(expect.any(Function), 2 ** 31 - 1);
});
