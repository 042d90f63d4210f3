import { randomUUID } from "node:crypto";
import type { TestProject } from "vitest/node";

/** The environment variable by which test processes know that they are of the same run. */
export const RUN_VARIABLE = "BELFRY_TEST_RUN";

/** Numbers a test run whose sources stay as they are, for vitest's `globalSetup`: what one process makes of them is good for all. */
export function setup({ vitest }: TestProject): void {
  if (!vitest.config.watch) {
    process.env[RUN_VARIABLE] ??= randomUUID();
  }
}
