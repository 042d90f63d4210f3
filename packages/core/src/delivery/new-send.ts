import type { ThrottleQuestion } from "../decisions/index.ts";
import type { CreatedItem } from "../inbox/index.ts";
import type { NewAudience, Notification } from "../notifications/index.ts";
import type { GivenLease } from "../work/lending.ts";
import type { Delivery } from "./delivery.ts";
import type { EntryPlan } from "./digest.ts";
import type { ForEveryone, NewFanOut } from "./fan-out-storage.ts";
import type { DeliveryPlan, DeliveryTerms, SendDetails } from "./send.ts";

/** A delivery to be written. */
export interface NewDelivery
  extends Pick<Delivery, "id" | "channel" | "recipient" | "recipientKind" | "topic" | "chain" | "isFallback" | "reason" | "reasonSource"> {
  /** A fallback waits; what was decided against is skipped; everything else is pending. */
  readonly status: "pending" | "waiting" | "skipped";
  /**
   * How long after the send's time (its schedule, else its creation) it is due, or may be put into a digest; null when it is
   * skipped, or waits for its primary alone.
   */
  readonly dueInMs: number | null;
  /** The digest that it waits for: it is not due by itself then, and an entry is written with it. Null for none. */
  readonly digest: EntryPlan | null;
  /**
   * The lease that it is written with, as claimed once: its first attempt, under the fence 1, and its owner's until so long after it is
   * written. A storage that cannot do so leaves it out, and `isLeased` of {@link SendCreated} with it. @default none
   */
  readonly lease?: GivenLease;
}

/** A key under which a send is created once, with the first caller's answer. */
export interface IdempotencyKey {
  readonly key: string;
  /** Tells a repetition of the same call from another one. */
  readonly bodyHash: string;
  /** Opaque to the storage. */
  readonly response: string;
}

/** The throttles of a send's type. They are asked, and used, in the transaction that writes the send. */
export interface SendThrottles {
  /** One for each user and channel. */
  readonly questions: readonly ThrottleQuestion[];
  /** Decides on the deliveries, and returns the send as it is to be written. It has no effects. @param allowed the answer to each question */
  decided(allowed: readonly boolean[]): NewSend;
}

/** A notification with its deliveries, of kind `send`, and with all that goes with it. */
export interface NewSend extends DeliveryPlan, DeliveryTerms {
  readonly notification: Notification;
  /** The choices of a sender; null for a notification that has deliveries without them. */
  readonly details: SendDetails | null;
  /** What is kept of an audience with topics. @default it has none */
  readonly audience?: NewAudience;
  readonly deliveries: readonly NewDelivery[];
  /** The users who get an inbox item now, distinct and sorted bytewise; empty when it is scheduled: whoever delivers it places the items. */
  readonly inboxRecipients: readonly string[];
  readonly idempotency: IdempotencyKey | null;
  readonly actor: string;
  /** Null where no throttle is to be asked. */
  readonly throttles: SendThrottles | null;
  /** Who else gets it, later; there are no deliveries and items now then. @default nobody */
  readonly fanOut?: NewFanOut;
  /** How it goes to everyone; its fan-out, if it has one, gets its users page by page. @default it names who gets it */
  readonly everyone?: ForEveryone;
}

/** The result of writing a send. */
export type SendCreated =
  | {
      readonly kind: "created";
      readonly items: readonly CreatedItem[];
      /** The send as it was written, where throttles were asked. */
      readonly throttled?: NewSend;
      /** Whether this call wrote its deliveries, with their leases. @default false */
      readonly isLeased?: boolean;
    }
  /**
   * Its idempotency key was used before: nothing was written. The response is null if it named a user who was erased since;
   * `notificationId` is then the notification that the key was used for.
   */
  | { readonly kind: "repeated"; readonly bodyHash: string; readonly response: string | null; readonly notificationId: string | null };
