import { describe } from "vitest";
import type { StorageHarness } from "../harness.ts";
import { changeLogTests } from "./change-log.ts";
import { concurrencyTests } from "./concurrency.ts";
import { dueItemTests } from "./due-items.ts";
import { erasingTests, sweepingTests } from "./erasing.ts";
import { filterTests } from "./filters.ts";
import { groupTests } from "./groups.ts";
import { itemMarkTests } from "./item-marks.ts";
import { itemTests } from "./items.ts";
import { keyedChangeTests } from "./keyed-changes.ts";
import { listingTests } from "./listing.ts";
import { markingTests } from "./marking.ts";
import { matchingTests } from "./matching.ts";
import { removingTests } from "./removing.ts";
import { removingAtOnceTests } from "./removing-at-once.ts";
import { reopeningTests } from "./reopening.ts";
import { replacingTests } from "./replacing.ts";
import { inboxRoundTripTests } from "./round-trips.ts";

/** Declares the tests of reading and changing inboxes. */
export function inboxTests(harness: StorageHarness): void {
  describe("inbox", () => {
    listingTests(harness);
    itemTests(harness);
    markingTests(harness);
    removingTests(harness);
    removingAtOnceTests(harness);
    inboxRoundTripTests(harness);
    reopeningTests(harness);
    itemMarkTests(harness);
    filterTests(harness);
    matchingTests(harness);
    dueItemTests(harness);
    changeLogTests(harness);
    keyedChangeTests(harness);
    groupTests(harness);
    replacingTests(harness);
    erasingTests(harness);
    sweepingTests(harness);
    concurrencyTests(harness);
  });
}
