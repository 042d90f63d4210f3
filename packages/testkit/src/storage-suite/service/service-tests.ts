import { describe } from "vitest";
import type { StorageHarness } from "../harness.ts";
import { apiKeyTests } from "./api-keys.ts";
import { databaseTests } from "./database.ts";
import { hostileArgumentTests } from "./hostile-arguments.ts";
import { lifecycleTests } from "./lifecycle.ts";
import { nameTests } from "./names.ts";
import { processTests } from "./processes.ts";
import { socketTicketTests } from "./socket-tickets.ts";

/** Declares the tests of the storage as a whole: opening and closing, tenants' names, several processes, API keys, tickets, the database. */
export function serviceTests(harness: StorageHarness): void {
  describe("service", () => {
    lifecycleTests(harness);
    nameTests(harness);
    processTests(harness);
    apiKeyTests(harness);
    databaseTests(harness);
    socketTicketTests(harness);
    hostileArgumentTests(harness);
  });
}
