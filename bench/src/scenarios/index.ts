import { deadEndpoint } from "./dead-endpoint.ts";
import { hubThroughput } from "./hub.ts";
import type { Scenario } from "./scenario.ts";

/** Every scenario, in the order they run. */
export const SCENARIOS: readonly Scenario[] = [deadEndpoint, hubThroughput];
