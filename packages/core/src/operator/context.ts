import type { AgainRequest, Channel, DeliveryStorage, DigestStorage, HoldsStorage, Send, SendRequest } from "../delivery/index.ts";
import type { BaseContext } from "../foundation/context.ts";
import type { HubStorage } from "../hub/index.ts";
import type { ActivityStorage } from "./activity-storage.ts";
import type { RetryRunStorage } from "./retry-run.ts";

/** The parts that an operator's operations use. */
export interface OperatorContext extends BaseContext {
  readonly activity: ActivityStorage;
  readonly deliveries: DeliveryStorage;
  readonly digests: DigestStorage;
  readonly holds: HoldsStorage;
  readonly hub: HubStorage;
  /** The host's channels, by name; the inbox is not among them. */
  readonly channels: ReadonlyMap<string, Channel>;
  /** Creates a notification with deliveries. */
  track(request: SendRequest): Promise<Send>;
  readonly retryRuns: RetryRunStorage;
  /** Tries again what failed of a send, and what waits for another attempt. */
  tryAgain(request: AgainRequest): Promise<void>;
  /** Goes on with retry runs in the background. Call it only after the commit. */
  goOnRetrying(): void;
}
