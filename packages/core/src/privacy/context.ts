import type { BroadcastStorage, DevicesStorage, TopicsStorage } from "../audiences/index.ts";
import type { DecisionsStorage } from "../decisions/index.ts";
import type { DeliveryEvents, DeliveryStorage, DigestStorage } from "../delivery/index.ts";
import type { BaseContext, Emits } from "../foundation/context.ts";
import type { HubStorage } from "../hub/index.ts";
import type { ContentCache, InboxEvents, InboxSignal, InboxStorage } from "../inbox/index.ts";
import type { ActivityStorage } from "../operator/index.ts";

/** The parts that erasing, exporting and sweeping use. */
export interface PrivacyContext extends BaseContext {
  readonly inbox: InboxStorage;
  readonly deliveries: DeliveryStorage;
  readonly hub: HubStorage;
  readonly activity: ActivityStorage;
  readonly decisions: DecisionsStorage;
  readonly digests: DigestStorage;
  readonly broadcasts: BroadcastStorage;
  readonly topics: TopicsStorage;
  readonly devices: DevicesStorage;
  readonly events: Emits<DeliveryEvents & InboxEvents>;
  /** What lists have made of inboxes. */
  readonly contents: Pick<ContentCache, "forget">;
  /** Tells clients and other processes what changed. Call it only after the commit. */
  publish(signals: readonly InboxSignal[]): void;
}

/** The rows that a step reads or removes at most: few enough that it holds its locks for a few milliseconds. */
export const STEP_ROWS = 20;

const FEWEST_ROWS = 4;
const LONG_STEP_MS = 5;

/** Sizes steps by the time that the one before took: rows may be large, disks slow, and one row may take many others with it. */
export class StepSize {
  readonly #clock: PrivacyContext["clock"];
  #rows = FEWEST_ROWS;

  constructor(clock: PrivacyContext["clock"]) {
    this.#clock = clock;
  }

  /** Runs a step, and tells it how many rows it may remove. */
  async step<Result>(run: (limit: number) => Promise<Result>): Promise<Result> {
    const beganMs = this.#clock.now();
    const result = await run(this.#rows);
    const isLong = this.#clock.now() - beganMs > LONG_STEP_MS;
    this.#rows = isLong ? Math.max(FEWEST_ROWS, Math.floor(this.#rows / 2)) : Math.min(STEP_ROWS, this.#rows + 2);
    return result;
  }
}
