import type { BaseContext, Emits } from "../foundation/context.ts";
import type { Created } from "../inbox/index.ts";
import type { UntypedCreateInput } from "../notifications/index.ts";
import type { BatchQueue } from "../work/batch-queue.ts";
import type { SharedStorage } from "../work/may-take-over.ts";
import type { HubChanges } from "./events.ts";
import type { HubEvent } from "./hub-model.ts";
import type { HubSignal } from "./hub-signal.ts";
import type { HubStorage } from "./hub-storage.ts";

/** What operations of the hub work with. */
export interface HubContext extends BaseContext {
  readonly storage: SharedStorage;
  readonly hub: HubStorage;
  /** Answers how many handlers an event has. */
  readonly eventWriter: BatchQueue<HubEvent, number>;
  readonly events: Emits<HubChanges>;
  /** Creates a notification of this id, once, for what a handler made of an event. */
  create(request: { readonly tenant: string; readonly input: UntypedCreateInput; readonly id: string }): Promise<Created>;
  /** Has handlers run over what came in, in the background. To be called after commit only. */
  processDue(): void;
  /** Tells clients and other processes what changed. To be called after commit only. */
  publish(signals: readonly HubSignal[]): void;
}
