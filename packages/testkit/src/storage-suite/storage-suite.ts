import type { Storage } from "@belfry/core/storage";
import { describe } from "vitest";
import { broadcastTests } from "./audiences/broadcast-tests.ts";
import { devicesTests } from "./audiences/devices-tests.ts";
import { topicsTests } from "./audiences/topics-tests.ts";
import { creatingTests } from "./creating/creating-tests.ts";
import { transactionTests } from "./creating/transactions.ts";
import { decisionsTests } from "./decisions/decisions-tests.ts";
import { deliveryTests } from "./delivery/delivery-tests.ts";
import { digestTests } from "./delivery/digest-tests.ts";
import { holdsTests } from "./delivery/holds-tests.ts";
import { suppressionTests } from "./delivery/suppression-tests.ts";
import type { StorageHarness } from "./harness.ts";
import { hubTests } from "./hub/hub-tests.ts";
import { inboxTests } from "./inbox/inbox-tests.ts";
import { modelTests } from "./model/model-tests.ts";
import { alarmTests } from "./operator/alarm-tests.ts";
import { healthTests } from "./operator/health-tests.ts";
import { operatorTests } from "./operator/operator-tests.ts";
import { retryRunTests } from "./operator/retry-run-tests.ts";
import { lifecycleTests } from "./service/lifecycle.ts";
import { serviceTests } from "./service/service-tests.ts";

type Tests = (harness: StorageHarness) => void;

/** The parts that every storage has: its members that are objects. */
type StoragePart = {
  [Name in keyof Storage]-?: Storage[Name] extends object ? (Storage[Name] extends (...args: never[]) => unknown ? never : Name) : never;
}[keyof Storage];

/** The tests of each part, in the folder of its domain. A part without tests does not compile. */
const OF_PARTS: Readonly<Record<StoragePart, Tests>> = {
  apiKeys: serviceTests,
  socketTickets: serviceTests,
  database: serviceTests,
  inbox: inboxTests,
  deliveries: deliveryTests,
  digests: digestTests,
  activity: operatorTests,
  hub: hubTests,
  decisions: decisionsTests,
  topics: topicsTests,
  broadcasts: broadcastTests,
  devices: devicesTests,
  holds: holdsTests,
  health: healthTests,
  retryRuns: retryRunTests,
  alarms: alarmTests,
  suppressions: suppressionTests,
};

/** The tests of each behaviour by examples: of the parts, and of several parts together. */
const BY_EXAMPLES: readonly Tests[] = [...new Set(Object.values(OF_PARTS)), creatingTests];

/** The tests that run for what a harness says it covers. */
const COVERING: Readonly<Record<NonNullable<StorageHarness["covers"]>, readonly Tests[]>> = {
  everything: [...BY_EXAMPLES, modelTests],
  examples: BY_EXAMPLES,
  models: [modelTests],
  opening: [lifecycleTests, transactionTests],
};

/**
 * Declares the tests that every storage has to pass: everything that the documentation of `Storage` and of the parts of
 * it promises. To be called from a vitest file; {@link StorageHarness} has an example.
 *
 * @param name shown in front of the titles
 */
export function storageSuite<Tx, Written extends void | Promise<void>>(name: string, harness: StorageHarness<Tx, Written>): void {
  describe(`storage ${name}`, () => {
    for (const tests of COVERING[harness.covers ?? "everything"]) {
      tests(harness);
    }
  });
}
