import type { BaseContext, Owner } from "../foundation/context.ts";
import type { Categories, NotificationTypes } from "../notifications/index.ts";
import type { DecisionsStorage } from "./decisions-storage.ts";

/** The parts that preferences use. */
export interface DecisionsContext extends BaseContext {
  readonly decisions: DecisionsStorage;
  readonly types: NotificationTypes;
  readonly categories: Categories;
  /** The language of readers whose own is not known, as a BCP 47 tag. */
  readonly locale: string;
  /** The host's channels, by name; the inbox is not among them. */
  readonly channels: ReadonlyMap<string, unknown>;
  /**
   * Tells over which of these channels a user can be reached at all, and the user's language, null for one that is not known. What
   * the host's directory does not answer counts as reachable.
   */
  reachable(owner: Owner): Promise<{ readonly channels: ReadonlySet<string>; readonly locale: string | null }>;
  /**
   * Begins the inboxes of users who are heard of for the first time, so that later broadcasts are theirs. Call it before the write that makes them
   * known: then it holds for each of them. They are distinct, and sorted bytewise.
   */
  beginInboxes(tenant: string, userIds: readonly string[]): Promise<void>;
  /** Has what waits for a user's quiet hours decided anew. */
  reconsider(owner: Owner): Promise<void>;
  /** Moves the open windows of digests of a tenant's users to where the settings say now. */
  moveWindows(tenant: string): Promise<void>;
}
