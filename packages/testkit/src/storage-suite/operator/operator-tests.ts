import { describe } from "vitest";
import type { StorageHarness } from "../harness.ts";
import { activityFindingTests } from "./activity-finding.ts";
import { activityHealthTests } from "./activity-health.ts";
import { activityReadingTests } from "./activity-reading.ts";
import { activitySearchTests } from "./activity-search.ts";
import { activityStateTests } from "./activity-states.ts";
import { auditListingTests } from "./audit-listing.ts";
import { auditStepTests } from "./audit-steps.ts";
import { deletingTests } from "./deleting.ts";
import { deliveryListTests } from "./delivery-lists.ts";
import { failingTests } from "./failing-tests.ts";
import { operatorRoundTripTests } from "./round-trips.ts";

/** Declares the tests of what an operator searches and reads. */
export function operatorTests(harness: StorageHarness): void {
  describe("operator", () => {
    activitySearchTests(harness);
    activityFindingTests(harness);
    activityStateTests(harness);
    activityReadingTests(harness);
    activityHealthTests(harness);
    failingTests(harness);
    auditListingTests(harness);
    auditStepTests(harness);
    deletingTests(harness);
    deliveryListTests(harness);
    operatorRoundTripTests(harness);
  });
}
