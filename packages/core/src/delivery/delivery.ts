import type { SkipReason } from "../decisions/index.ts";
import type { Digest } from "./digest.ts";

/**
 * One notification to one recipient over one channel, and its states:
 *
 * ```
 * waiting ──its primary failed, or its delay passed without an acknowledgement──> pending
 * pending ──claimed──> pending, leased ──┬─ ok ─────────────────────────> sent ──receipt or acknowledgement──> delivered
 *                                        ├─ ok, and the channel confirms ─> delivered
 *                                        ├─ transient failure ────────────> pending, due later
 *                                        ├─ permanent, or out of attempts > failed
 *                                        └─ lease expired ────────────────> the attempt is "unknown"; pending or failed
 * pending or waiting, not leased ──cancelled, or its primary was acknowledged──> cancelled
 * pending ──decided against, when it was created or claimed──> skipped
 * failed ──somebody asks for a retry──> pending
 * ```
 *
 * A receipt may also come late: sent or delivered → failed (bounce), and failed without an acknowledgement or a socket → delivered when
 * the user reads it later.
 *
 * Each change is decided by a function without effects: the end of an attempt in `end-attempts.ts`, what follows in its chain
 * in `chains.ts`, acknowledgements in `acknowledge.ts`, providers' receipts in `record-receipt.ts`, cancelling and retrying in `change-send.ts`.
 */
export type DeliveryStatus = "waiting" | "pending" | "sent" | "delivered" | "failed" | "skipped" | "cancelled";

/** The reason why a delivery over the inbox failed. A later read or acknowledgement can still make it `delivered`. */
export type UnreachedReason = "offline" | "no_ack";

/**
 * Why a delivery has the status it has: why it failed or was skipped, or what a pending one waits for. One with `digest` waits for
 * the window of its digest to close; one with `bundled` is in a digest that goes out, or carries it. One that `bounced` failed after its provider had
 * taken it: the provider gave it back. One that is `paused` waits until an operator resumes its endpoint, its channel or its tenant.
 */
export type DeliveryReason = UnreachedReason | "bounced" | SkipReason | "quiet_hours" | "paused" | "digest" | "bundled";

/** One notification to one recipient over one channel. Times are the storage's. */
export interface Delivery {
  /** UUIDv7: the same for every attempt, so that receivers can tell a repetition. */
  readonly id: string;
  readonly notificationId: string;
  readonly tenant: string;
  readonly channel: string;
  /** As the sender named the recipient: a user id, an address, a URL. */
  readonly recipient: string;
  /** Numbers the chains of a notification from 0: a recipient's primary delivery over a channel, and what stands in for it. */
  readonly chain: number;
  readonly isFallback: boolean;
  /** Whether the recipient was named as a user, whose choices count, or by an address of the channel. */
  readonly recipientKind: "user" | "address";
  /** The topic whose subscription brought it to the user; null for a user who was named, and for addresses. */
  readonly topic: string | null;
  readonly status: DeliveryStatus;
  /**
   * Why it was skipped; why it failed, if a later acknowledgement still counts; what a pending one waits for, beside its time; null
   * otherwise.
   */
  readonly reason: DeliveryReason | null;
  /**
   * Where the reason of a decision came from, such as `user type email`, `tenant category`, `type` or `directory`; `storage wait 3` if it
   * waits for the third time in a row for a database that is out of reach; null otherwise.
   */
  readonly reasonSource: string | null;
  /** The number of attempts that were begun. */
  readonly attempt: number;
  /** How many of them came before the last retry somebody asked for; the schedule starts after those. */
  readonly attemptsBefore: number;
  /** When it is to be attempted or, waiting, to step in; null when settled, and when it waits for its primary alone. */
  readonly dueAt: Date | null;
  /** The worker that is delivering it at this moment, or null. */
  readonly leaseOwner: string | null;
  readonly leaseUntil: Date | null;
  /** Grows with every claim: a worker that lost its lease is told apart by it. */
  readonly fence: number;
  readonly settledAt: Date | null;
}

/** The result of one attempt. */
export type AttemptStatus = "sent" | "delivered" | "failed" | "unknown";

/** One try of a delivery. */
export interface DeliveryAttempt {
  readonly deliveryId: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** `unknown` for an attempt whose worker was lost: it may have reached the recipient, or not. */
  readonly status: AttemptStatus;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  /** Names its carrier, for example `smtp`; empty when unknown. */
  readonly provider: string;
  /** The provider's own words. */
  readonly response: string | null;
  readonly messageId: string | null;
  /** Says what happened, for a failed attempt. */
  readonly error: string | null;
  /** A note for the sender about a successful attempt. */
  readonly note: string | null;
  /** For a failed attempt: whether a later one may succeed. */
  readonly isTransient: boolean;
  /** What was sent, and what came back, for a channel that says so; null otherwise. */
  readonly exchange: AttemptExchange | null;
}

/** The headers and the body of a request or an answer, without credentials, as an attempt keeps them. */
export interface KeptMessage {
  /** With names in lower case. The value of a header that may hold a credential is `***`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The first 4,096 characters. */
  readonly body: string;
  /** Whether the body was longer. */
  readonly isCut: boolean;
}

/** What an attempt over HTTP sent, and what it got. */
export interface AttemptExchange {
  readonly request: KeptMessage & {
    readonly method: string;
    /** Without user name and password; the values of its query are `***`. */
    readonly url: string;
  };
  /** Null when there was no answer. */
  readonly response: (KeptMessage & { readonly status: number }) | null;
}

/** A delivery with its attempts, oldest first; of more than 100, the newest 100. */
export interface TrackedDelivery extends Delivery {
  readonly attempts: readonly DeliveryAttempt[];
}

/** A delivery as its notification shows it. */
export interface ShownDelivery extends TrackedDelivery {
  /** The digest that it waits for, or came in; null for none. */
  readonly digest: Digest | null;
}

/** One address over one channel. Fairness and the circuit breaker count by endpoint. */
export interface Endpoint {
  readonly channel: string;
  readonly recipient: string;
}

/** The deliveries that were completed, and when, by the storage's time. */
export interface Completed {
  readonly ids: ReadonlySet<string>;
  readonly now: Date;
}

/** A delivery that is to reach an address next. */
export interface AddressClaim {
  readonly deliveryId: string;
  readonly channel: string;
  readonly address: string;
}

/** The page of a send's deliveries to read. */
export interface DeliveryRange {
  /** How many to skip. */
  readonly offset: number;
  /** How many at the most. */
  readonly limit: number;
}

/** A page of a send's deliveries, in the order of its recipients. */
export interface DeliveryPage {
  readonly deliveries: readonly ShownDelivery[];
  /** How many deliveries the send has. */
  readonly total: number;
}

/** The status of a whole send. */
export type SendStatus = "pending" | "sent" | "delivered" | "failed" | "partial" | "skipped" | "cancelled";

/** Every status of a whole send. */
export const SEND_STATUSES: readonly SendStatus[] = ["pending", "sent", "delivered", "failed", "partial", "skipped", "cancelled"];

/** One delivery went from one state to another. */
export interface DeliveryChanged {
  /** As it is now. */
  readonly delivery: Delivery;
  readonly from: DeliveryStatus;
}

/** An attempt of a delivery has ended, and was recorded. */
export interface AttemptEnded {
  /** As it is after the attempt. */
  readonly delivery: Delivery;
  readonly attempt: DeliveryAttempt;
  /** When the attempt was due; null if that is not known any more. */
  readonly dueAt: Date | null;
}

/** A sent notification, as a whole, went from one status to another. */
export interface SendChanged {
  readonly tenant: string;
  /** The notification's id. */
  readonly id: string;
  readonly from: SendStatus;
  readonly to: SendStatus;
}

/** How many chains of a notification have each outcome. A chain is one recipient's primary delivery and its fallbacks. */
export type ChainCounts = Readonly<Record<ChainOutcome, number>>;

/** The outcome of a chain: the best of its deliveries. */
export type ChainOutcome = "pending" | "sent" | "delivered" | "failed" | "skipped" | "cancelled";

/**
 * Best first. `waiting` ranks below what has settled well, so a fallback that still waits does not hold back a chain
 * whose primary was sent, and above `failed`, so it does hold back one whose primary failed.
 */
export const STATUS_RANK: Readonly<Record<DeliveryStatus, number>> = {
  delivered: 6,
  sent: 5,
  pending: 4,
  waiting: 3,
  failed: 2,
  skipped: 1,
  cancelled: 0,
};

const OUTCOME_BY_RANK: readonly ChainOutcome[] = ["cancelled", "skipped", "failed", "pending", "pending", "sent", "delivered"];

/** The outcome of a chain with these deliveries; a chain has at least one. */
export function chainOutcome(deliveries: readonly DeliveryStatus[]): ChainOutcome {
  let best = 0;
  for (const status of deliveries) {
    best = Math.max(best, STATUS_RANK[status]);
  }
  return OUTCOME_BY_RANK[best] ?? "cancelled";
}

/**
 * The primary deliveries of a chain, and its fallbacks: there are several primary ones where a user has several devices. `leading` is the one
 * that counts for the fallbacks: the best of them.
 */
export function partsOf<Of extends Delivery>(
  chain: readonly Of[],
): { primaries: readonly Of[]; fallbacks: readonly Of[]; leading: Of | undefined } {
  const [first, second] = chain;
  if (second === undefined || second.isFallback) {
    return { primaries: chain.slice(0, 1), fallbacks: chain.slice(1), leading: first };
  }
  const primaries = chain.filter(({ isFallback }) => !isFallback);
  const [leading] = primaries.toSorted((left, right) => STATUS_RANK[right.status] - STATUS_RANK[left.status]);
  return { primaries, fallbacks: chain.filter(({ isFallback }) => isFallback), leading };
}

/**
 * The status of a notification whose chains came to `counts`. Cancelled and skipped chains count only when there are no others: a
 * notification is skipped if all its chains were.
 */
export function sendStatus({ pending, sent, delivered, failed, skipped, cancelled }: ChainCounts): SendStatus {
  if (pending > 0) {
    return "pending";
  }
  const settled = sent + delivered + failed;
  if (settled === 0) {
    return skipped > 0 && cancelled === 0 ? "skipped" : "cancelled";
  }
  if (failed === settled) {
    return "failed";
  }
  if (failed > 0) {
    return "partial";
  }
  return delivered === settled ? "delivered" : "sent";
}
