import type { BaseContext, Emits } from "../foundation/context.ts";
import type { Created } from "../inbox/index.ts";
import type { UntypedCreateInput } from "../notifications/index.ts";
import type { BatchQueue } from "../work/batch-queue.ts";
import type { SharedStorage } from "../work/may-take-over.ts";
import type { HubChanges } from "./events.ts";
import type { HubEvent } from "./hub-model.ts";
import type { HubSignal } from "./hub-signal.ts";
import type { HubStorage } from "./hub-storage.ts";

/** The parts that operations of the hub use. */
export interface HubContext extends BaseContext {
  readonly storage: SharedStorage;
  readonly hub: HubStorage;
  /** Writes events. It returns the number of handlers of each. */
  readonly eventWriter: BatchQueue<HubEvent, number>;
  readonly events: Emits<HubChanges>;
  /** Creates a notification with this id, once, for a handler's result. */
  create(request: { readonly tenant: string; readonly input: UntypedCreateInput; readonly id: string }): Promise<Created>;
  /** Starts the handlers of new events in the background. Call it only after the commit. */
  processDue(): void;
  /** Tells clients and other processes what changed. Call it only after the commit. */
  publish(signals: readonly HubSignal[]): void;
}
