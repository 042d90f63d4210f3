import type { JsonObject } from "../foundation/json.ts";
import type { ContentMember, DigestEntry, Notification, NotificationAction, TaskContents } from "../notifications/index.ts";
import type { AttemptExchange } from "./delivery.ts";
import type { DevicePlatform } from "./device.ts";

/** The notifications of a digest, for its channel. */
export interface TaskDigest {
  /** What the type's `by` made of their data; empty without `by`, and for digests of a frequency that the user chose. */
  readonly key: string;
  /** How many notifications the digest has. */
  readonly total: number;
  /** Those that are shown, oldest first. */
  readonly entries: readonly DigestEntry[];
}

/** The task of a channel: to deliver one notification, or one digest, to one recipient. */
export interface DeliveryTask {
  /**
   * The delivery's id: the same for every attempt, so that a receiver can tell a repetition. A channel passes it on
   * as its protocol's stable id (`webhook-id`, `Message-ID`).
   */
  readonly id: string;
  /** The id of the notification that is delivered, one for all its recipients and channels. */
  readonly notificationId: string;
  /** The tenant that sends it. */
  readonly tenant: string;
  /** As the sender named the recipient: a user id, an address, a URL. */
  readonly recipient: string;
  /** Where to deliver: the recipient itself, what the host's directory gave for it, or one of the user's devices: see {@link Channel.devices}. */
  readonly address: string;
  /**
   * The language to deliver in, as a BCP 47 tag: the user's, as the host's directory gave it, else the service's. What functions of
   * the type make of the texts is rendered in it.
   */
  readonly locale: string;
  /** The room it belongs to, as the sender named it, or null. */
  readonly roomId: string | null;
  /** The notifications that are delivered together; null for one alone. Type and id are then those of the first one. */
  readonly digest: TaskDigest | null;
  /** What the notification has in common with others, or null: a channel may show only the newest of a group. */
  readonly group: string | null;
  /** How many unread items the user's inbox has, for a badge; null for addresses, and for channels without {@link Channel.devices}. */
  readonly unread: number | null;
  /** The notification's type, for example `order_update`. */
  readonly type: string;
  /** How much it matters: a channel may show it, or choose its own way by it. */
  readonly priority: Notification["priority"];
  /** One line; may be empty. */
  readonly title: string;
  /** May be empty. */
  readonly message: string;
  /** As the notification was created with it; empty for a digest, whose entries have their own. */
  readonly data: JsonObject;
  /** Where it leads, or null. */
  readonly url: string | null;
  /** What the type says over this channel besides title, message and link; null for nothing. See {@link Channel.contents}. */
  readonly contents: TaskContents | null;
  /**
   * Switches off what the notification is of, for this user and channel, when it is asked with POST: see "Unsubscribe" in
   * docs/guides/preferences.md. Null for addresses, required types, and services without such links.
   */
  readonly unsubscribeUrl: string | null;
  /** What its reader can do about it, the primary first, or null. */
  readonly actions: readonly NotificationAction[] | null;
  /** Whether this stands in for another channel that failed. */
  readonly isFallback: boolean;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** When the notification was created. */
  readonly createdAt: Date;
}

/** The provider took the notification (`sent`), or the recipient has it (`delivered`). */
export interface DeliverySuccess {
  readonly status: "sent" | "delivered";
  /** Names what carried it, for example `smtp`. */
  readonly provider: string;
  /** The provider's own words, for example `250 2.0.0 OK`. At most 1,000 characters are kept. */
  readonly response?: string;
  readonly messageId?: string;
  /** A note for the sender though it went well, for example that a template was not found. */
  readonly note?: string;
  /** What was sent, and what came back, for operators. @default nothing is kept */
  readonly exchange?: AttemptExchange;
}

/** The attempt failed. */
export interface DeliveryFailure {
  readonly status: "failed";
  /** Whether a later attempt may succeed. */
  readonly transient: boolean;
  /** Says what happened, without credentials or contents. At most 1,000 characters are kept. */
  readonly error: string;
  readonly provider: string;
  readonly response?: string;
  /**
   * What happened as a code that names nobody, such as `550 5.1.1` or `ECONNREFUSED`, for the log: up to 40 letters, digits, spaces and characters of
   * `.-_`. Another text is not logged. @default the log does not say what happened
   */
  readonly code?: string;
  /** The provider asked to wait this long. It is clamped to between the first retry delay and 24 hours. */
  readonly retryAfterMs?: number;
  /**
   * The recipient's endpoint is gone for good, as HTTP's 410 says: for a day nothing else is attempted to it, except what
   * somebody explicitly retries. @default false
   */
  readonly isEndpointGone?: boolean;
  /**
   * The provider said for good that there is nobody at the task's address, as a mail server does by 550 5.1.1: the address is suppressed
   * with the reason `hard_bounce`, in the transaction that ends the attempt. It counts where `transient` is false, and not for devices.
   * @default false
   */
  readonly isHardBounce?: boolean;
  /** What was sent, and what came back, for operators. @default nothing is kept */
  readonly exchange?: AttemptExchange;
}

/** What a channel says in its message. */
export interface MessagePreview {
  readonly subject: string;
  readonly text: string;
  /** Null for a message without HTML. */
  readonly html: string | null;
}

/** The result of an attempt. */
export type DeliveryOutcome = DeliverySuccess | DeliveryFailure;

/**
 * A way to reach recipients: one file of the host's own is enough for a new one. The engine does the rest: it claims,
 * times out, retries, falls back and keeps the attempts. As a
 * `Channel<Typed<DeliveryTask, MadeOf<typeof types>>>`, its tasks have the data of declared types.
 */
export interface Channel<Task extends DeliveryTask = DeliveryTask> {
  /** The name that senders use, for example `email`. */
  readonly name: string;
  /** The delays before the second, third, … attempt; after the last one a delivery has failed. */
  readonly retryDelaysMs: readonly number[];
  /** The longest time of an attempt, in milliseconds. Then it is aborted, as a transient failure. */
  readonly timeoutMs: number;
  /**
   * What its addresses are, in the plural and without a full stop, such as `phone numbers with their country code, such as +4930123456`.
   * Refusals and the dashboard say it after the channel's name: "sms takes phone numbers …". @default nothing is said
   */
  readonly takes?: string;
  /** What it takes of a type's contents besides title, message and link. A type that declares another one is refused. @default nothing */
  readonly contents?: readonly ContentMember[];
  /**
   * The platforms of the devices that it delivers to. Each device of a user is an address of this channel then, which `parseDeviceAddress`
   * reads, and gets a delivery of its own; one of which an outcome says `isEndpointGone` is removed. An address that the host's
   * directory gives comes first.
   *
   * @default it delivers to no devices
   */
  readonly devices?: readonly DevicePlatform[];
  /**
   * Returns the public key that browsers subscribe with, in base64url, for a channel whose `devices` have `web`: clients are told it. Null if
   * nothing is pushed to browsers for this tenant.
   *
   * @default browsers are not offered to subscribe
   */
  webPushKey?(tenant: string): string | null | Promise<string | null>;
  /** Whether the channel can be used for this tenant. @default yes */
  isConfigured?(tenant: string): boolean;
  /** Returns why `recipient` cannot be delivered to, such as `is no phone number`, or null. It is called before anything is stored. */
  invalidRecipient(recipient: string): string | null;
  /** The form of an address in which two of the same mailbox are equal: for suppressed addresses. @default the address as it is */
  comparableAddress?(address: string): string;
  /** Returns the problems of a notification's `data` for this channel, one text each. @default nothing */
  invalidData?(data: JsonObject): readonly string[];
  /** Whether nothing is in a notification that this channel could show. @default whether title, message and `data` are empty */
  isEmpty?(notification: Pick<DeliveryTask, "title" | "message" | "data">): boolean;
  /**
   * Returns what `deliver` would say in its message for this task, for operators; it delivers nothing, and fetches nothing. `problem` says why it could not.
   *
   * @default there is no preview
   */
  preview?(task: Task): Promise<MessagePreview | { readonly problem: string }>;
  /**
   * Delivers once and returns the outcome. A thrown error counts as a transient failure. `signal` aborts when the attempt's
   * time is up.
   */
  deliver(task: Task, signal: AbortSignal): Promise<DeliveryOutcome>;
}

/** How a user can be reached, by channel name; and the user's language, time zone, and when they joined. */
export interface Contact {
  readonly email?: string;
  /** A BCP 47 tag such as `de` or `pt-BR`, which tasks of channels have. What is none counts as the service's, with a warning. @default the service's */
  readonly locale?: string;
  /** An IANA time zone such as `Europe/Berlin`, for quiet hours of users who set none themselves. What is none counts as left out, with a warning. @default the tenant's, else UTC */
  readonly timeZone?: string;
  /** Since when the host has known the user: later broadcasts are for them, even if their inbox begins after these. @default it does not say */
  readonly joinedAt?: Date;
  /** The address for a channel of the host's own, by its name. */
  readonly [channel: string]: string | Date | undefined;
}

/** A page of the host's users. */
export interface DirectoryPage {
  /** Their ids, up to 10,000. Each user is on one page of a walk. */
  readonly users: readonly string[];
  /** Leads to the next page, up to 1,000 characters; null after the last one. */
  readonly next: string | null;
}

/**
 * The host's own knowledge of its users: given user ids, their contacts. Belfry calls it when a delivery needs an address,
 * and never stores its answers. Users that it leaves out have no contact.
 *
 * With `everyone`, broadcasts reach users over other channels than the inbox: make it with `Object.assign(contacts, { everyone })`.
 *
 * @example
 * ```ts
 * const directory: Directory = async (ids, { tenant }) => new Map((await users.of(tenant, ids)).map((user) => [user.id, { email: user.email }]));
 * ```
 */
export interface Directory {
  (ids: readonly string[], options: { readonly tenant: string }): ReadonlyMap<string, Contact> | Promise<ReadonlyMap<string, Contact>>;
  /**
   * Returns a page of all users of a tenant, within 10 seconds. Belfry walks over the pages of a broadcast one after another. After an
   * error, or a crash, it asks for a page again; who joins or leaves meanwhile may be left out.
   *
   * @param cursor the `next` of the page before; null for the first page
   */
  everyone?(cursor: string | null, options: { readonly tenant: string }): DirectoryPage | Promise<DirectoryPage>;
}
