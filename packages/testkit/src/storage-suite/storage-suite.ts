import { describe } from "vitest";
import { hubStorageSuite } from "../hub-suite/hub-suite.ts";
import { activityHealthTests } from "./activity-health.ts";
import { activityReadingTests } from "./activity-reading.ts";
import { activitySearchTests } from "./activity-search.ts";
import { apiKeyTests } from "./api-keys.ts";
import { busyTests } from "./busy.ts";
import { claimingTests } from "./claiming.ts";
import { concurrencyTests } from "./concurrency.ts";
import { contentTests } from "./content.ts";
import { creatingTests } from "./creating.ts";
import { fanOutTests } from "./fan-out.ts";
import type { StorageHarness } from "./harness.ts";
import { itemTests } from "./items.ts";
import { lifecycleTests } from "./lifecycle.ts";
import { listingTests } from "./listing.ts";
import { markingTests } from "./marking.ts";
import { modelTests } from "./model-suite.ts";
import { nameTests } from "./names.ts";
import { processTests } from "./processes.ts";
import { removingTests } from "./removing.ts";
import { sendingTests } from "./sending.ts";
import { transactionTests } from "./transactions.ts";

/**
 * Declares the tests that every storage has to pass: everything that the documentation of `Storage` and `InboxStorage`
 * promises. To be called from a vitest file; {@link StorageHarness} has an example.
 *
 * @param name shown in front of the titles
 */
export function storageSuite<Tx, Written extends void | Promise<void>>(name: string, harness: StorageHarness<Tx, Written>): void {
  describe(`storage ${name}`, () => {
    lifecycleTests(harness);
    creatingTests(harness);
    contentTests(harness);
    nameTests(harness);
    listingTests(harness);
    itemTests(harness);
    markingTests(harness);
    removingTests(harness);
    fanOutTests(harness);
    transactionTests(harness);
    busyTests(harness);
    concurrencyTests(harness);
    processTests(harness);
    sendingTests(harness);
    claimingTests(harness);
    activitySearchTests(harness);
    activityReadingTests(harness);
    activityHealthTests(harness);
    apiKeyTests(harness);
    hubStorageSuite(harness);
    modelTests(harness);
  });
}
