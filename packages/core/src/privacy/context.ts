import type { BroadcastStorage, DevicesStorage, TopicsStorage } from "../audiences/index.ts";
import type { DecisionsStorage } from "../decisions/index.ts";
import type { Channel, DeliveryEvents, DeliveryStorage, DigestStorage, HoldsStorage, SuppressionsStorage } from "../delivery/index.ts";
import type { BaseContext, Emits } from "../foundation/context.ts";
import type { HubStorage } from "../hub/index.ts";
import type { ContentCache, InboxEvents, InboxSignal, InboxStorage } from "../inbox/index.ts";
import type { ActivityStorage, RetryRunStorage } from "../operator/index.ts";
import { StepSize } from "../work/step-size.ts";

/** The parts that erasing, exporting and sweeping use. */
export interface PrivacyContext extends BaseContext {
  readonly inbox: InboxStorage;
  readonly deliveries: DeliveryStorage;
  readonly hub: HubStorage;
  readonly activity: ActivityStorage;
  readonly retryRuns: RetryRunStorage;
  readonly decisions: DecisionsStorage;
  readonly digests: DigestStorage;
  readonly holds: HoldsStorage;
  readonly broadcasts: BroadcastStorage;
  readonly topics: TopicsStorage;
  readonly devices: DevicesStorage;
  readonly suppressions: SuppressionsStorage;
  /** The host's channels, by name; the inbox is not among them. */
  readonly channels: ReadonlyMap<string, Channel>;
  /** Within how long soft bounces count, in milliseconds. */
  readonly softBounces: { readonly withinMs: number };
  readonly events: Emits<DeliveryEvents & InboxEvents>;
  /** What lists have made of inboxes. */
  readonly contents: Pick<ContentCache, "forget">;
  /** Tells clients and other processes what changed. Call it only after the commit. */
  publish(signals: readonly InboxSignal[]): void;
}

/** The rows that a step reads or removes at most: few enough that it holds its locks for a few milliseconds. */
export const STEP_ROWS = 20;

/** Steps that erase and sweep: see {@link StepSize}. */
export function stepSize({ clock }: Pick<PrivacyContext, "clock">): StepSize {
  return new StepSize({ fewest: 4, most: STEP_ROWS, wantedMs: 5 }, () => clock.now());
}
