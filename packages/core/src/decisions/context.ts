import type { BaseContext, Owner } from "../foundation/context.ts";
import type { NotificationTypes } from "../notifications/index.ts";
import type { DecisionsStorage } from "./decisions-storage.ts";

/** The parts that preferences use. */
export interface DecisionsContext extends BaseContext {
  readonly decisions: DecisionsStorage;
  readonly types: NotificationTypes;
  /** The host's channels, by name; the inbox is not among them. */
  readonly channels: ReadonlyMap<string, unknown>;
  /** Tells over which of these channels a user can be reached at all. What the host's directory does not answer counts as reachable. */
  reachable(owner: Owner): Promise<ReadonlySet<string>>;
  /** Has what waits for a user's quiet hours decided anew. */
  reconsider(owner: Owner): Promise<void>;
}
