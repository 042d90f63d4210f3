import type { Owner } from "../foundation/context.ts";
import type { ErasureStep, ExportStep, JsonObject, StepRange, SweepStep } from "../foundation/json.ts";
import type { CreatedItem } from "../inbox/index.ts";
import type { Notification } from "../notifications/index.ts";
import type { NamedLeaseStorage } from "../work/lease-storage.ts";
import type {
  AddressClaim,
  ChainCounts,
  Completed,
  Delivery,
  DeliveryAttempt,
  DeliveryRange,
  Endpoint,
  SendChanged,
  TrackedDelivery,
} from "./delivery.ts";
import type { DigestChange } from "./digest-storage.ts";
import type { FanOutStorage } from "./fan-out-storage.ts";
import type { NewSend, SendCreated } from "./new-send.ts";
import type {
  AuditEntry,
  AuditQuery,
  DeliveryPlan,
  DeliveryTerms,
  NewAuditEntry,
  Send,
  SendAnalytics,
  SendAnalyticsQuery,
  SendPage,
  SendProgress,
  SendQuery,
  SendUpdate,
  SendUpdated,
} from "./send.ts";
import type { SuppressionChange } from "./suppressions-storage.ts";

/** A device of a user, and the delivery to it if it has none yet. */
export interface DeviceTurn {
  readonly deviceId: string;
  /** A new id; for the first device not used, since the claimed delivery has it. */
  readonly deliveryId: string;
}

/** The limits and exclusions of a claim of deliveries, in addition to tenants. */
export interface DeliveryFairness {
  /** The most deliveries of one endpoint. */
  readonly perEndpoint: number;
  /** Only deliveries over these channels. */
  readonly channels: readonly string[];
  readonly exceptEndpoints: readonly Endpoint[];
}

/** The keys that a storage has given a delivery and its notification. */
export interface DeliveryKeys {
  readonly pk: number;
  readonly notificationPk: number;
}

/** A delivery that a worker has leased, with the data to deliver. */
export interface ClaimedDelivery {
  /** As it is after the claim: its attempt counts already. */
  readonly delivery: Delivery;
  readonly notification: Notification;
  /** How the notification stands at this moment. */
  readonly state: SendState;
  /** Whether its notification has no other delivery. */
  readonly isOnly: boolean;
  readonly scheduledAt: Date | null;
  readonly roomId: string | null;
  /** The sender's own; the notification's data where there are no {@link SendDetails}. */
  readonly meta: JsonObject;
  /** Whether its tenant had any suppressed address, in the state that the claim saw. @default nobody looked: the attempt asks */
  readonly hasSuppressed?: boolean;
  /** The storage's own keys, for {@link DeliveryStorage.complete}. @default it looks for them */
  readonly keys?: DeliveryKeys;
}

/** A notification whose items are placed. */
export type PlacedNotification = Pick<Notification, "tenant" | "id" | "group" | "replaceKey" | "actor">;

/** How the deliveries of a notification stand as a whole. It changes together with them. */
export interface SendState
  extends Pick<Notification, "tenant" | "id">,
    Omit<SendProgress, "updatedAt">,
    Pick<DeliveryPlan, "fallbackDelayMs">,
    DeliveryTerms {
  readonly chains: ChainCounts;
}

/** A delivery as {@link DeliveryStorage.settle} loads it. */
export interface LoadedDelivery extends Delivery {
  /** Whether it is one over the inbox whose item its recipient has read. */
  readonly isRead: boolean;
}

/** The state of a notification's deliveries with some of their chains: each whole, in the order of `chain`, the primary first. */
export interface LoadedSend {
  readonly state: SendState;
  readonly chains: readonly (readonly LoadedDelivery[])[];
}

/** The chains that {@link DeliveryStorage.settle} loads, always whole. */
export type ChainSelection =
  /** Every chain of one send, or `limit` of those numbered above `after`. */
  | {
      readonly kind: "send";
      readonly tenant: string;
      readonly id: string;
      readonly some?: { readonly after: number; readonly limit: number };
    }
  /** The chains of these deliveries. */
  | { readonly kind: "deliveries"; readonly ids: readonly string[] }
  /**
   * The chains in which a delivery over the inbox to this user is not delivered yet (`pending`, `sent` or `failed`): of
   * these notifications, or, with null, of those whose item the user has read.
   */
  | { readonly kind: "inbox"; readonly owner: Owner; readonly ids: readonly string[] | null }
  /**
   * The chains of a digest's entries, if `owner` holds its lease with this fence; it is locked with them. `decide` then runs even if
   * there are none.
   */
  | { readonly kind: "digest"; readonly id: string; readonly fence: number; readonly owner: string }
  /** The chains of up to `limit` waiting deliveries that are due, oldest first. */
  | { readonly kind: "waiting"; readonly limit: number };

/** The changes to write. Everything else stays. */
export interface SettleChanges {
  /** Deliveries as they are to be. */
  readonly deliveries: readonly Delivery[];
  readonly attempts: readonly DeliveryAttempt[];
  /** Sends as they are to be; their time of change is set to the storage's time. */
  readonly sends: readonly SendState[];
  readonly audit: readonly NewAuditEntry[];
  /** Digests as they are to be. @default all stay */
  readonly digests?: readonly DigestChange[];
  /** What becomes of addresses. @default nothing */
  readonly suppressions?: readonly SuppressionChange[];
}

/** What became of claimed deliveries that are the only ones of their notifications. */
export interface Completion extends SettleChanges {
  /** The deliveries as they were claimed, in the order of the changes: what is known of them, the storage need not look for. @default it looks */
  readonly claimed?: readonly ClaimedDelivery[];
}

/** Decides the changes to loaded chains. It has no effects. `now` is the storage's time. */
export type Decide = (loaded: readonly LoadedSend[], now: Date) => SettleChanges;

/** The result of one step of erasing deliveries. */
export interface DeliveryErasureStep extends ErasureStep {
  /** The notifications whose status changed as a chain of theirs went. */
  readonly sends: readonly SendChanged[];
}

/** A delivery as an export shows it. */
export interface ExportedDelivery extends TrackedDelivery {
  readonly notification: Notification;
}

/**
 * The delivery part of a storage. As in the inbox part, every method is one transaction, and calls at once give the
 * same result as some order of them. What becomes of deliveries is decided by core alone, in {@link Decide} functions
 * that the storage runs inside its transaction; a storage only selects, locks, loads and writes.
 *
 * `at` is the service's time. A storage with a clock of its own that all instances share uses that one instead, for
 * due times, leases and stamps, unless it was told not to.
 */
export interface DeliveryStorage<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>> extends FanOutStorage<NewSend> {
  /** Leases of pending deliveries. Waiting deliveries count for the next due time. */
  readonly leases: NamedLeaseStorage<ClaimedDelivery, DeliveryFairness>;

  /**
   * Writes sends: notification, details, deliveries, inbox items, idempotency key and a line of the audit log each. All
   * or nothing. A send whose idempotency key its tenant has used writes nothing of itself and is answered `repeated`,
   * also when the first one is being written at this moment. One whose notification id exists is answered with the
   * items it has: a write whose reply was lost may be repeated. No two sends of one call have the same key.
   *
   * Throttles are asked one send after the other, as `askThrottle` does at the time of the notification's creation, and used for
   * what may go. Of several calls at once, each sees what the others used; a send that is not written uses nothing. The keys are
   * locked in one order. A call that waits long for one fails like one that waits for an inbox.
   */
  createSends(sends: readonly NewSend[], at: Date): Promise<readonly SendCreated[]>;

  /**
   * Writes sends as {@link createSends} does, but waits for no inbox and no throttle that another transaction holds: it writes those
   * that need none of them, and answers null for the others, of which nothing is written.
   */
  createFreeSends(sends: readonly NewSend[], at: Date): Promise<readonly (SendCreated | null)[]>;

  /** Writes one send without an idempotency key through the host's own open transaction: see `InboxStorage.createWithin`. */
  createSendWithin(tx: Tx, send: NewSend, onCommit: (created: SendCreated) => void): Written;

  /**
   * Writes the items of a send that was scheduled, for users who have none yet, numbered as by `createMany`, and answers
   * where the items of all of them are. Empty when the notification does not exist any more.
   */
  placeItems(notification: PlacedNotification, users: readonly string[], at: Date): Promise<readonly CreatedItem[]>;

  findSend(tenant: string, id: string): Promise<Send | null>;
  listSends(tenant: string, query: SendQuery): Promise<SendPage>;
  /**
   * A page of each of these sends' deliveries, with the newest 100 attempts of each, oldest first: by send in the order
   * of `ids`, then chain, primary first. `offset` and `limit` count within one send.
   */
  deliveriesOf(tenant: string, ids: readonly string[], range: DeliveryRange): Promise<readonly TrackedDelivery[]>;
  /** Returns the number of a send's deliveries; 0 for an unknown send. */
  countDeliveries(tenant: string, id: string): Promise<number>;
  countSends(tenant: string, query: SendAnalyticsQuery): Promise<SendAnalytics>;
  /**
   * Returns lines of the audit log that match, newest first. Lines are numbered as they are written: a filter by time assumes that the clocks of all
   * processes agree to an hour.
   */
  listAudit(tenant: string, query: AuditQuery): Promise<readonly AuditEntry[]>;

  /**
   * Changes title, message, meta and data of a send whose status is `pending`, and writes the audit line. Inbox items show
   * the change, and their inboxes count and log it; if these are many, {@link noteUpdates} does that afterwards.
   */
  updateSend(tenant: string, id: string, change: SendUpdate): Promise<SendUpdated>;

  /**
   * Takes the next step of an update that {@link updateSend} left to it: counts and logs the change in some more inboxes, in one
   * transaction. It does not wait for an inbox that another transaction holds, and puts the update off for a second instead. Returns false
   * if no update is due at `at`, or somebody else is at each.
   */
  noteUpdates(at: Date): Promise<boolean>;

  /**
   * In one transaction, loads the selected chains under lock, runs `decide`, and writes its changes. Chains of one send are
   * never loaded by two calls at once. `decide` may run more than once; the last run counts. It need not run when nothing is
   * selected.
   */
  settle(selection: ChainSelection, at: Date, decide: Decide): Promise<void>;

  /**
   * Writes what became of claimed deliveries that are the only ones of their notifications, without loading them again: of
   * those whose lease `owner` still holds, and whose inbox item is unread. The others stay as they are, for {@link settle}; so may
   * those that another transaction holds at this moment.
   * The times in `completion` count from `at`, and are written as counted from the storage's time.
   */
  complete(owner: string, completion: Completion, at: Date): Promise<Completed>;

  /**
   * Lets each delivery take its address over its channel, unless another delivery of the same notification has taken it; of several
   * at once, one does. A delivery keeps what it took, and may ask again.
   *
   * @returns for each whether it has the address; false for a delivery that is gone
   */
  takeAddresses(claims: readonly AddressClaim[]): Promise<readonly boolean[]>;

  /**
   * Lets a claimed delivery have one device of its user, and each other device a delivery of its own in the same chain, which is due at once: in one
   * transaction, and once for a chain, so that later calls change nothing. It changes nothing either if the lease was lost.
   *
   * @returns the device that the delivery has; null if it has none of these
   */
  splitByDevice(claimed: Pick<Delivery, "id" | "leaseOwner" | "fence">, devices: readonly DeviceTurn[], at: Date): Promise<string | null>;

  /**
   * Makes up to `limit` deliveries due that wait for quiet hours of a user and that nobody holds, so that they are decided anew.
   * Returns how many.
   */
  reconsider(owner: Owner, limit: number, at: Date): Promise<number>;

  /** Deletes idempotency keys used before `before`. */
  pruneIdempotencyKeys(before: Date): Promise<void>;

  /**
   * Removes a recipient's deliveries for good, up to `limit` chains a call, whatever their state, with their attempts: what
   * is pending is never made, and what a worker is making at this moment has nothing left to settle. `owner.userId` is the
   * recipient as senders named it; who was named by an address is erased by that address.
   *
   * The counts and the status of a notification are those of its other chains after every step. The name leaves the
   * recipients of sends, which count how many were erased, and answers that are kept for idempotency keys are emptied. A
   * notification without another delivery is tracked no longer, and goes once it has no item in an inbox. You may repeat a
   * step; for a recipient without deliveries it does nothing.
   */
  erase(owner: Owner, limit: number, at: Date): Promise<DeliveryErasureStep>;

  /** The deliveries to a recipient, named as in {@link erase}: by notification in the order of its creation, with the newest 100 attempts each. */
  export(owner: Owner, range: StepRange): Promise<ExportStep<ExportedDelivery>>;

  /**
   * Looks at sends of all tenants, oldest first, and removes for good those that were created before `before`, have no
   * delivery left to make, and have no item in an inbox, each with its deliveries and attempts. A step removes as many deliveries as
   * take a few milliseconds; a send that has more is treated as `ActivityStorage.deleteNotification` says, and the next step goes on
   * with it. The audit log stays. The walk ends at the first step that finds no send that old.
   */
  sweep(before: Date, range: StepRange): Promise<SweepStep>;
}
