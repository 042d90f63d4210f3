import type { DeliveryEvents, DeliveryStorage } from "../delivery/index.ts";
import type { BaseContext, Emits } from "../foundation/context.ts";
import type { HubStorage } from "../hub/index.ts";
import type { InboxEvents, InboxSignal, InboxStorage } from "../inbox/index.ts";
import type { ActivityStorage } from "../operator/index.ts";

/** The parts that erasing, exporting and sweeping use. */
export interface PrivacyContext extends BaseContext {
  readonly inbox: InboxStorage;
  readonly deliveries: DeliveryStorage;
  readonly hub: HubStorage;
  readonly activity: ActivityStorage;
  readonly events: Emits<DeliveryEvents & InboxEvents>;
  /** Tells clients and other processes what changed. Call it only after the commit. */
  publish(signals: readonly InboxSignal[]): void;
}

/** The rows that one step looks at: few enough that it holds its locks for a few milliseconds. */
export const STEP_ROWS = 20;
