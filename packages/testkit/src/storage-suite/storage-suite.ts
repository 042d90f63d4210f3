import { describe } from "vitest";
import { creatingTests } from "./creating.ts";
import type { StorageHarness } from "./harness.ts";
import { itemTests } from "./items.ts";
import { listingTests } from "./listing.ts";
import { markingTests } from "./marking.ts";
import { removingTests } from "./removing.ts";
import { transactionTests } from "./transactions.ts";

/**
 * Declares the tests that every storage has to pass: everything that the documentation of `Storage` and `InboxStorage`
 * promises. To be called from a vitest file; {@link StorageHarness} has an example.
 *
 * @param name shown in front of the titles
 */
export function storageSuite<Tx, Written extends void | Promise<void>>(name: string, harness: StorageHarness<Tx, Written>): void {
  describe(`storage ${name}`, () => {
    creatingTests(harness);
    listingTests(harness);
    itemTests(harness);
    markingTests(harness);
    removingTests(harness);
    transactionTests(harness);
  });
}
