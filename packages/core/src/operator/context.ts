import type { ChangeRequest, DeliveryStorage, DigestStorage, Send } from "../delivery/index.ts";
import type { BaseContext } from "../foundation/context.ts";
import type { HubStorage } from "../hub/index.ts";
import type { ActivityStorage } from "./activity-storage.ts";

/** The parts that an operator's operations use. */
export interface OperatorContext extends BaseContext {
  readonly activity: ActivityStorage;
  readonly deliveries: DeliveryStorage;
  readonly digests: DigestStorage;
  readonly hub: HubStorage;
  /** Retries the failed chains of a send. */
  retrySend(request: ChangeRequest): Promise<Send>;
}
