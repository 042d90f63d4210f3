import type {
  AuditEntry,
  AuditNames,
  ChainCounts,
  Delivery,
  NewAuditEntry,
  OpenCircuit,
  StateParts,
  TrackedDelivery,
} from "../delivery/index.ts";
import type { ExportStep, StepRange, SweepStep } from "../foundation/json.ts";
import type { CountsOfPlace, InboxItem } from "../inbox/index.ts";
import type { Notification } from "../notifications/index.ts";
import type { ActivityBroadcast, ActivityContent, ActivityFilter, ActivitySummary, ChannelHealth } from "./activity.ts";
import type { WorkHealthReads } from "./work-health.ts";

/** A period in equal parts. */
export interface HealthWindow {
  readonly from: Date;
  readonly bucketMs: number;
  readonly buckets: number;
  /** How many deliveries that wait are looked at, those that are due first before others. @default all */
  readonly mostWaiting?: number;
}

/** The health of a channel without what waited before. */
export type StoredHealth = Omit<ChannelHealth, "backlog">;

/** The filter of a search, as a storage gets it. */
export interface StateFilter extends Omit<ActivityFilter, "user"> {
  /** Any of these is a user whose inbox it came into, a recipient as its sender named it, or the sender of an event. */
  readonly recipients?: readonly string[];
  /** The moment at which the state counts; given with a state. */
  readonly at?: Date;
  /**
   * Only sends with a delivery that waits for another attempt after a failure, or that failed in a chain that failed; that a user was not connected is no
   * failure. @default all
   */
  readonly isRetryable?: true;
}

/** A delivery that waits, is under way or failed, with all that its state follows from. */
export interface DeliveryUnderWay extends StateParts {
  /** That of its endpoint, which may rest no longer; null for none. */
  readonly circuit: Pick<OpenCircuit, "failures" | "openUntil"> | null;
  /** What its last attempt says went wrong; null if nothing did. */
  readonly lastError: { readonly error: string; readonly at: Date } | null;
}

/** A line of a search as a storage reads it. */
export interface StoredSummary extends Omit<ActivitySummary, "standing" | "lastError"> {
  /**
   * Of a send whose status is `pending`, `failed` or `partial`: up to 20 deliveries that wait or are under way, and up to 5 that failed, among its first
   * 1,000, in the order of its recipients. Empty for others.
   */
  readonly underWay: readonly DeliveryUnderWay[];
  /** Of an event: the error of its newest processing record that failed or waits for another attempt; null for none. */
  readonly recordError: string | null;
}

/** A notification's content as a storage reads it. */
export interface StoredActivity extends Omit<ActivityContent, "summary"> {
  readonly summary: StoredSummary;
}

/** The filter of a search, and the page. */
export interface ActivityQuery extends StateFilter {
  /** Only notifications older than this one, which may no longer exist. */
  readonly after?: string;
  readonly limit: number;
}

/** Whether a delivery failed for good, or waits for another attempt after a failure. */
export type FailingKind = "failed" | "retrying";

/** A delivery that failed, or waits for another attempt after a failure, with what its last attempt says. */
export interface FailingDelivery extends Pick<Delivery, "id" | "notificationId" | "channel" | "recipient" | "reason"> {
  /** Where it is among them, for {@link FailingQuery.after}. */
  readonly place: readonly [notification: number, delivery: number];
  /** How many attempts there were since it was created, or retried by somebody. */
  readonly attempts: number;
  /** Empty where nobody is known. */
  readonly provider: string;
  /** The first 200 characters of the last attempt's error; empty where that attempt did not fail. */
  readonly error: string;
  /** When the first of its attempts ended, and the last. */
  readonly firstAt: Date;
  readonly lastAt: Date;
}

/** A page of failing deliveries: of the newest notifications first. */
export interface FailingQuery {
  readonly kind: FailingKind;
  /** The place of the last one of the page before; null begins with the newest. */
  readonly after: FailingDelivery["place"] | null;
  readonly limit: number;
}

/** A page of a list of deliveries. */
export interface DeliveryListQuery {
  /** Only those that failed, or are tried again after a failure. */
  readonly isFailing: boolean;
  /** The last one of the page before, as {@link ListedDelivery.key}; null begins at the start. */
  readonly after: string | null;
  readonly limit: number;
}

/** A delivery of a list. */
export interface ListedDelivery {
  /** With its newest 20 attempts. */
  readonly delivery: TrackedDelivery;
  readonly notification: Pick<Notification, "type" | "title" | "createdAt">;
  /** Leads to those after it. Only the storage that made it can read it; up to 100 characters. */
  readonly key: string;
}

/** Some of a notification's items in inboxes, and their total. Deleted ones do not count. */
export interface ActivityItems {
  /** By user, bytewise. */
  readonly items: readonly InboxItem[];
  readonly total: number;
  readonly read: number;
}

/** A step of deleting a notification. */
export interface Deletion {
  /** The most items that the step removes, at least 1. */
  readonly limit: number;
  readonly at: Date;
  readonly actor: string;
  /** For the line of the audit log. @default nothing */
  readonly details?: string;
  /** Only one that has deliveries. @default any */
  readonly only?: "tracked";
}

/** The result of one step of deleting a notification. */
export interface DeletionStep {
  /** The items that the step removed from lists, in their former state, each with the counts of its inbox after that. */
  readonly items: readonly (InboxItem & CountsOfPlace)[];
  /** False if another step has to follow. */
  readonly isDone: boolean;
}

/**
 * The operator's part of a storage. It reads across the inboxes, sends and events of one tenant. Its reads take no locks and never
 * block other work for long. A storage that works in the host's own thread reads in small steps and lets others write in
 * between. Ids are passed in lower case.
 */
export interface ActivityStorage extends WorkHealthReads {
  /** The topics that a notification was created for, sorted bytewise; empty for none. */
  topicsOf(tenant: string, id: string): Promise<readonly string[]>;

  /** Returns how a broadcast stands, also after its end; null for other notifications. */
  broadcastOf(tenant: string, id: string, now: Date): Promise<ActivityBroadcast | null>;

  /** Returns up to `limit` matching notifications, newest first, in the order of their ids. */
  search(tenant: string, query: ActivityQuery): Promise<readonly StoredSummary[]>;
  /** Returns up to `limit` users, recipients and senders that begin so, with the letters A to Z in either case, in some order. */
  recipientsLike(tenant: string, beginning: string, limit: number): Promise<readonly string[]>;
  /** Returns the number of matches, counted up to `max`. */
  count(tenant: string, filter: StateFilter, max: number): Promise<number>;
  /** Returns a notification with its content, or null when the tenant has no such id. */
  find(tenant: string, id: string): Promise<StoredActivity | null>;
  /** Returns up to `limit` of its items in inboxes, and their total. */
  itemsOf(tenant: string, id: string, limit: number): Promise<ActivityItems>;
  /** Returns how many chains of a notification have each outcome; null for one without deliveries. */
  chainsOf(tenant: string, id: string): Promise<ChainCounts | null>;
  /**
   * Returns deliveries of a notification in the order of its recipients, the primary before its fallback; failing ones alone in the order in which they
   * were written.
   */
  deliveriesIn(tenant: string, id: string, query: DeliveryListQuery): Promise<readonly ListedDelivery[]>;
  /** Returns one delivery; null when the tenant has none of that id. */
  findDelivery(tenant: string, id: string): Promise<Delivery | null>;
  /** Returns deliveries to these recipients, as their senders named them, those of the newest notification first. */
  deliveriesTo(tenant: string, recipients: readonly string[], query: DeliveryListQuery): Promise<readonly ListedDelivery[]>;
  /** Returns up to `limit` lines of the audit log about one notification, oldest first. */
  auditOf(tenant: string, id: string, limit: number): Promise<readonly AuditEntry[]>;
  /** Writes a line of the audit log for an action that logs none by itself. */
  note(tenant: string, entry: NewAuditEntry, at: Date): Promise<void>;
  /**
   * Deletes a part of a notification of any kind for good: first what is left to do for it, then deliveries with all that belongs
   * to them, as many a call as take a few milliseconds, then up to `limit` items, and the notification with the last of them. After
   * every step the counts match the items that are left. Null when the tenant has no such id.
   *
   * The first step writes a line of the audit log. If others have to follow, the notification and its tracking get the tenant
   * `tenantOfDeleted(tenant)`, so that nothing but this method finds them any more, and it expires, so that nothing of it is delivered.
   */
  deleteNotification(tenant: string, id: string, deletion: Deletion): Promise<DeletionStep | null>;
  /** Returns up to `limit` notifications whose deletion has begun and has not ended, with the tenants that they had. */
  beingDeleted(limit: number): Promise<readonly Pick<Notification, "tenant" | "id">[]>;
  /**
   * Returns up to `limit` deliveries that fail. Of those that failed, none is over the inbox: that a user was not connected is no failure. However many there
   * are, it looks at no more than it returns.
   */
  failing(tenant: string, query: FailingQuery): Promise<readonly FailingDelivery[]>;
  /**
   * Returns every channel with a pending delivery or an attempt in the window, by name, bytewise. `at` is now. A window begins at a whole minute
   * and its parts last whole minutes; of more than two hours ago, half hours.
   */
  health(tenant: string, window: HealthWindow, at: Date): Promise<readonly StoredHealth[]>;

  /**
   * Looks at lines of the tenant's audit log, oldest first, and takes a user's names out of those in which the user is the actor, or what it was
   * done to. The lines stay. You may repeat a step.
   */
  eraseAudit(of: AuditNames, range: StepRange): Promise<SweepStep>;
  /** Looks at lines of the tenant's audit log, oldest first, and answers with those in which the user is the actor, or what it was done to. */
  exportAudit(of: AuditNames, range: StepRange): Promise<ExportStep<AuditEntry>>;
  /**
   * Looks at lines of the audit log of all tenants, oldest first, and removes those written before `before`. The walk ends
   * at the first step whose last line is not that old.
   */
  sweepAudit(before: Date, range: StepRange): Promise<SweepStep>;
}
