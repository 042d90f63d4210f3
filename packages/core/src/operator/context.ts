import type { ChangeRequest, DeliveryStorage, Send } from "../delivery/index.ts";
import type { BaseContext } from "../foundation/context.ts";
import type { HubStorage } from "../hub/index.ts";
import type { ActivityStorage } from "./activity-storage.ts";

/** What an operator's questions work with. */
export interface OperatorContext extends BaseContext {
  readonly activity: ActivityStorage;
  readonly deliveries: DeliveryStorage;
  readonly hub: HubStorage;
  /** Has the failed chains of a send tried again. */
  retrySend(request: ChangeRequest): Promise<Send>;
}
