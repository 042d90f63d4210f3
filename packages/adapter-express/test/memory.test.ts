import { memoryStorage, NotificationService } from "@belfry/core";
import { httpSuite } from "@belfry/testkit";
import { expressHarness } from "./harness.ts";

httpSuite(
  "Express over memory",
  expressHarness(async () => new NotificationService({ storage: memoryStorage() })),
);
