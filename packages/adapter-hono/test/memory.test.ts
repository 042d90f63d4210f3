import { memoryStorage, NotificationService } from "@belfry/core";
import { httpSuite } from "@belfry/testkit";
import { honoHarness } from "./harness.ts";

httpSuite(
  "Hono over memory",
  honoHarness(async () => new NotificationService({ storage: memoryStorage() })),
);
