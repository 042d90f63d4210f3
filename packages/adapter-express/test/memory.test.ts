import { memoryStorage, NotificationService } from "@belfry/core";
import { httpSuite } from "@belfry/testkit";
import { expressHarness } from "./harness.ts";

httpSuite(
  "Express over memory",
  expressHarness(async (needs) => new NotificationService({ storage: memoryStorage(), ...needs })),
);
