import { describe } from "vitest";
import type { StorageHarness } from "../harness.ts";
import { busyTests } from "./busy.ts";
import { contentTests } from "./content.ts";
import { createManyTests } from "./create-many.ts";
import { fanOutTests } from "./fan-out.ts";
import { transactionTests } from "./transactions.ts";

/** Declares the tests of writing notifications: many at once, chunk by chunk, and within a transaction of the host. */
export function creatingTests(harness: StorageHarness): void {
  describe("creating", () => {
    createManyTests(harness);
    contentTests(harness);
    fanOutTests(harness);
    transactionTests(harness);
    busyTests(harness);
  });
}
