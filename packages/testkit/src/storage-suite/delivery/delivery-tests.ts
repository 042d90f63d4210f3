import { describe } from "vitest";
import type { StorageHarness } from "../harness.ts";
import { addressTests } from "./addresses.ts";
import { claimingTests } from "./claiming.ts";
import { deviceDeliveryTests } from "./device-deliveries.ts";
import { deliveryErasingTests } from "./erasing.ts";
import { sendFanOutTests } from "./fan-outs.ts";
import { deliveryRoundTripTests } from "./round-trips.ts";
import { sendingTests } from "./sending.ts";
import { deliverySweepingTests } from "./sweeping.ts";

/** Declares the tests of sends and their deliveries. */
export function deliveryTests(harness: StorageHarness): void {
  describe("delivery", () => {
    sendingTests(harness);
    claimingTests(harness);
    addressTests(harness);
    deviceDeliveryTests(harness);
    sendFanOutTests(harness);
    deliverySweepingTests(harness);
    deliveryErasingTests(harness);
    deliveryRoundTripTests(harness);
  });
}
