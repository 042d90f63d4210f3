import type { ActivityContent, ActivityFilter, ActivitySummary, ChannelHealth } from "./model/activity.ts";
import type { InboxItem } from "./model/inbox-item.ts";
import type { AuditEntry, NewAuditEntry } from "./model/send.ts";

/** A while in equal parts. */
export interface HealthWindow {
  readonly from: Date;
  readonly bucketMs: number;
  readonly buckets: number;
}

/** What an operator asks of a storage: reading across inboxes, sends and events of one tenant. It takes no locks. */
export interface ActivityStorage {
  /** Newest first by id; only what is older than the notification `after`, when given. */
  search(tenant: string, query: ActivityFilter & { readonly after?: string; readonly limit: number }): Promise<readonly ActivitySummary[]>;
  /** How many match, counted up to `max`. */
  count(tenant: string, filter: ActivityFilter, max: number): Promise<number>;
  /** A notification whole; null when the tenant has none of that id. */
  find(tenant: string, id: string): Promise<ActivityContent | null>;
  /** Its items in inboxes, up to `limit`, by user; and how many there are, and are read. Deleted ones do not count. */
  itemsOf(
    tenant: string,
    id: string,
    limit: number,
  ): Promise<{ readonly items: readonly InboxItem[]; readonly total: number; readonly read: number }>;
  /** Lines of the audit log about one notification, oldest first, up to `limit`. */
  auditOf(tenant: string, id: string, limit: number): Promise<readonly AuditEntry[]>;
  /** Writes a line of the audit log about what left no other one. */
  note(tenant: string, entry: NewAuditEntry, at: Date): Promise<void>;
  /** Every channel with anything pending, or any attempt in the window, by name. `at` is now. */
  health(tenant: string, window: HealthWindow, at: Date): Promise<readonly ChannelHealth[]>;
}
