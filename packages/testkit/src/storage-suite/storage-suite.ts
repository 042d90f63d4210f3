import { describe } from "vitest";
import { creatingTests } from "./creating/creating-tests.ts";
import { transactionTests } from "./creating/transactions.ts";
import { deliveryTests } from "./delivery/delivery-tests.ts";
import type { StorageHarness } from "./harness.ts";
import { hubTests } from "./hub/hub-tests.ts";
import { inboxTests } from "./inbox/inbox-tests.ts";
import { modelTests } from "./model/model-tests.ts";
import { operatorTests } from "./operator/operator-tests.ts";
import { lifecycleTests } from "./service/lifecycle.ts";
import { nameTests } from "./service/names.ts";
import { serviceTests } from "./service/service-tests.ts";

/** The tests of every domain, each in the folder of its name. */
const DOMAINS: readonly ((harness: StorageHarness) => void)[] = [
  serviceTests,
  creatingTests,
  inboxTests,
  deliveryTests,
  operatorTests,
  hubTests,
  modelTests,
];

/** The tests that see how a storage was opened. */
const OF_OPENING: readonly ((harness: StorageHarness) => void)[] = [lifecycleTests, nameTests, transactionTests];

/**
 * Declares the tests that every storage has to pass: everything that the documentation of `Storage` and of the parts of
 * it promises. To be called from a vitest file; {@link StorageHarness} has an example.
 *
 * @param name shown in front of the titles
 */
export function storageSuite<Tx, Written extends void | Promise<void>>(name: string, harness: StorageHarness<Tx, Written>): void {
  describe(`storage ${name}`, () => {
    for (const tests of harness.covers === "opening" ? OF_OPENING : DOMAINS) {
      tests(harness);
    }
  });
}
