import { describe } from "vitest";
import type { StorageHarness } from "../harness.ts";
import { hubConcurrencyTests } from "./concurrency.ts";
import { eventTests } from "./events.ts";
import { handlerTests } from "./handlers.ts";
import { identityTests } from "./identities.ts";
import { leaseTests } from "./leases.ts";
import { hubNameTests } from "./names.ts";
import { planningTests } from "./planning.ts";
import { processingTests } from "./processing.ts";
import { hubRoundTripTests } from "./round-trips.ts";
import { searchingTests } from "./searching.ts";
import { hubSweepingTests } from "./sweeping.ts";

/** Declares the tests of everything that the documentation of `HubStorage` promises. */
export function hubTests(harness: StorageHarness): void {
  describe("hub", () => {
    eventTests(harness);
    planningTests(harness);
    identityTests(harness);
    handlerTests(harness);
    hubNameTests(harness);
    processingTests(harness);
    searchingTests(harness);
    leaseTests(harness);
    hubSweepingTests(harness);
    hubRoundTripTests(harness);
    hubConcurrencyTests(harness);
  });
}
