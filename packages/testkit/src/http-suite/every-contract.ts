import { deliveryV1, django, hub, inboxV1, native, nativeKeys, pack } from "@belfry/core/contracts";
import type { Contract } from "@belfry/core/http";

/** Every contract of core. What is asked of all of them is asked of these. */
export function everyContract(): readonly Contract[] {
  return [inboxV1(), deliveryV1(), hub(), django(), pack(), native({ topics: () => true }), nativeKeys()];
}
