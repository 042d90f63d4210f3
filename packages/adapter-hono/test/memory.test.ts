import { memoryStorage, NotificationService } from "@belfry/core";
import { httpSuite } from "@belfry/testkit";
import { honoHarness } from "./harness.ts";

httpSuite(
  "Hono over memory",
  honoHarness(async (needs) => new NotificationService({ storage: memoryStorage(), ...needs })),
);
