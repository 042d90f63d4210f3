import type {
  AgainRequest,
  Channel,
  DeliveryContent,
  DeliveryStorage,
  DigestStorage,
  Directory,
  HoldsStorage,
  MessagePreview,
  PauseEvents,
  PausesInForce,
  Send,
  SendRequest,
  UserAddress,
} from "../delivery/index.ts";
import type { BaseContext, Emits, Owner } from "../foundation/context.ts";
import type { HubStorage } from "../hub/index.ts";
import type { WorkerLoad } from "../work/worker-load.ts";
import type { ActivityStorage } from "./activity-storage.ts";
import type { AlarmStorage } from "./alarm.ts";
import type { HealthStorage } from "./health-storage.ts";
import type { RetryRunStorage } from "./retry-run.ts";

/** The parts that an operator's operations use. */
export interface OperatorContext extends BaseContext {
  readonly activity: ActivityStorage;
  readonly health: HealthStorage;
  /** Names this process: another one for each start. */
  readonly instance: string;
  readonly deliveries: DeliveryStorage;
  readonly digests: DigestStorage;
  readonly holds: HoldsStorage;
  /** What is paused at this moment. */
  readonly pauses: PausesInForce;
  /** Has every process read anew what is paused. */
  tellOfPauses(): void;
  readonly events: Emits<PauseEvents>;
  readonly hub: HubStorage;
  /** The host's channels, by name; the inbox is not among them. */
  readonly channels: ReadonlyMap<string, Channel>;
  /** The host's own knowledge of its users; null without one. */
  readonly directory: Directory | null;
  /** Creates a notification with deliveries. */
  track(request: SendRequest): Promise<Send>;
  /** What the workers of this process do. */
  workers(): readonly WorkerLoad[];
  readonly retryRuns: RetryRunStorage;
  readonly alarms: AlarmStorage;
  /** Tries again what failed of a send, and what waits for another attempt. */
  tryAgain(request: AgainRequest): Promise<void>;
  /** Processes records that are due, in the background. Call it only after the commit. */
  processDue(): void;
  /** What the message of a delivery says. */
  preview(content: DeliveryContent): Promise<MessagePreview>;
  /** Where a user is reached over each channel now. */
  addressesOf(owner: Owner): Promise<readonly UserAddress[]>;
  /** Goes on with retry runs, and releases what resumed pauses held back, in the background. Call it only after the commit. */
  goOnRetrying(): void;
  /** Starts due deliveries in the background. Call it only after the commit. */
  deliverDue(): void;
}
