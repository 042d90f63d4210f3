import type { AuditEntry, NewAuditEntry } from "../delivery/index.ts";
import type { InboxItem } from "../inbox/index.ts";
import type { ActivityContent, ActivityFilter, ActivitySummary, ChannelHealth } from "./activity.ts";

/** A while in equal parts. */
export interface HealthWindow {
  readonly from: Date;
  readonly bucketMs: number;
  readonly buckets: number;
}

/** What to search for, and which part of it. */
export interface ActivityQuery extends ActivityFilter {
  /** Only what is older than this notification, which need not exist any more. */
  readonly after?: string;
  readonly limit: number;
}

/** Some of a notification's items in inboxes, and how many there are. Deleted ones do not count. */
export interface ActivityItems {
  /** By user, bytewise. */
  readonly items: readonly InboxItem[];
  readonly total: number;
  readonly read: number;
}

/**
 * What an operator asks of a storage: reading across the inboxes, sends and events of one tenant. It takes no locks, and
 * holds up nobody else for long, however much there is to look at: a storage that works in the host's own thread does so
 * in small steps, between which others may write. Ids are given in lower case.
 */
export interface ActivityStorage {
  /** Newest first, in the order of their ids: all that match, up to `limit`. */
  search(tenant: string, query: ActivityQuery): Promise<readonly ActivitySummary[]>;
  /** How many match, counted up to `max`. */
  count(tenant: string, filter: ActivityFilter, max: number): Promise<number>;
  /** A notification whole; null when the tenant has none of that id. */
  find(tenant: string, id: string): Promise<ActivityContent | null>;
  /** Its items in inboxes, up to `limit` of them, and how many there are in all. */
  itemsOf(tenant: string, id: string, limit: number): Promise<ActivityItems>;
  /** Lines of the audit log about one notification, oldest first, up to `limit`. */
  auditOf(tenant: string, id: string, limit: number): Promise<readonly AuditEntry[]>;
  /** Writes a line of the audit log about what left no other one. */
  note(tenant: string, entry: NewAuditEntry, at: Date): Promise<void>;
  /** Every channel with anything pending, or any attempt in the window, by name, bytewise. `at` is now. */
  health(tenant: string, window: HealthWindow, at: Date): Promise<readonly ChannelHealth[]>;
}
