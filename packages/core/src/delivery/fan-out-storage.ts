import type { JsonObject } from "../foundation/json.ts";
import type { CreatedItem } from "../inbox/index.ts";
import type { Notification } from "../notifications/index.ts";
import type { SendChanged } from "./delivery.ts";

/** A large audience, whose deliveries are written in parts. Chains that are still to be written count as one that is pending. */
export interface NewFanOut {
  /** How they are made. Opaque to the storage. */
  readonly plan: string;
  /** Distinct user ids, sorted bytewise. */
  readonly users: readonly string[];
  /** Distinct addresses, by their channels. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  /** How many chains each user has. */
  readonly chainsEach: number;
}

/** How a notification with deliveries goes to everyone. */
export interface ForEveryone {
  /** Whether inboxes that begin later get it, too. */
  readonly isStanding: boolean;
  /** The users who do not get it. */
  readonly except: readonly string[];
  /** Whether it goes to inboxes. */
  readonly hasItems: boolean;
  /** When it goes out; null for at once. */
  readonly dueAt: Date | null;
}

/** A part of a large audience, with what its deliveries are made of. */
export interface FanOutPart {
  readonly notification: Notification;
  readonly scheduledAt: Date | null;
  /** The sender's own data; the notification's where there are no details. */
  readonly meta: JsonObject;
  /** Opaque to core. */
  readonly key: string;
  readonly plan: string;
  /** The channel that the recipients are addresses of; null for users. */
  readonly channel: string | null;
  readonly recipients: readonly string[];
  /** The topic that brings it to the users; null for those who are named. */
  readonly topic: string | null;
  /** The channels that are left for these users; null for those of the plan. */
  readonly channels: readonly string[] | null;
  /** How many recipients come before them. */
  readonly place: number;
}

/** How a fan-out ends: all is written, its notification expired or somebody cancelled it. */
export type FanOutEnd = { readonly as: "written" } | { readonly as: "skipped" } | { readonly as: "cancelled"; readonly actor: string };

/** What the end of a fan-out changed. */
export interface EndedFanOut {
  /** Null if the notification's status stays. */
  readonly changed: SendChanged | null;
}

/** The part of a storage that writes the deliveries of large audiences, part by part. `Written` is a send with what is written of one. */
export interface FanOutStorage<Written> {
  /**
   * Takes up a part of a fan-out that nobody is at work on: for some seconds, nobody else is given it. It is the oldest one of the
   * tenant whose turn it is. Null when there is none. Parts of notifications that expired by `at` are left out.
   *
   * @param after the tenant that had its turn last: see `FanOutTurn.after`
   */
  takePart(at: Date, after?: string): Promise<FanOutPart | null>;

  /** Leaves a part alone for some seconds, as it could not be written. Then it may be taken again. */
  putOffPart(part: FanOutPart, at: Date): Promise<void>;

  /**
   * Writes the deliveries and items of a part, asks its throttles, and forgets the part, in one transaction. The items' creation time is `at`. Returns null, and writes
   * nothing, if the part was written, changed or ended meanwhile, or has to wait for an inbox that another transaction holds.
   */
  writePart(part: FanOutPart, written: Written, at: Date): Promise<readonly CreatedItem[] | null>;

  /** Whether a notification was created with an idempotency key. */
  isKeyUsed(tenant: string, key: string): Promise<boolean>;

  /** Whether deliveries of a notification are still to be written, or it is a broadcast that has not ended. */
  isFannedOut(tenant: string, id: string): Promise<boolean>;

  /** The notifications whose fan-outs are written, or have expired by `at`, and are to be ended. */
  endingFanOuts(at: Date): Promise<readonly (Pick<Notification, "tenant" | "id"> & { readonly as: "written" | "skipped" })[]>;

  /**
   * Ends the fan-out of a notification: nothing more of it is written. Null if it has none. One that is cancelled, and is a broadcast, is
   * placed in no further inbox.
   */
  endFanOut(of: Pick<Notification, "tenant" | "id">, end: FanOutEnd, at: Date): Promise<EndedFanOut | null>;
}
