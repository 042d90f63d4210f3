import type { SendChanged } from "../delivery/index.ts";
import type { Owner } from "../foundation/context.ts";
import type { ErasureStep, ExportStep, StepRange, SweepStep } from "../foundation/json.ts";
import type { CreatedItem } from "../inbox/index.ts";
import type { Notification } from "../notifications/index.ts";

/** What a broadcast says beside its notification. */
export interface BroadcastTerms {
  /** Whether inboxes that begin later get it, too. */
  readonly isStanding: boolean;
  /** The users who do not get it. */
  readonly except: readonly string[];
}

/** A broadcast to inboxes alone. */
export interface NewBroadcast extends BroadcastTerms {
  readonly notification: Notification;
}

/** A broadcast that went out. */
export interface Broadcast extends NewBroadcast {
  /** Its number in the tenant: later ones are higher. */
  readonly number: number;
}

/** The next broadcasts of an inbox. */
export interface MissedBroadcasts {
  /** Every broadcast up to this number is placed, or never will be; null if nobody has looked. */
  readonly placedUpTo: number | null;
  /** Earlier ones are not for the inbox, unless they are standing. */
  readonly beganAfter: number;
  /** Every broadcast up to this number that the inbox is to get is placed, or among these. */
  readonly upTo: number;
  /** By their numbers. Their notifications are as they are now, but for the time, which is that of going out. */
  readonly broadcasts: readonly Broadcast[];
  /** Whether later ones wait. */
  readonly isMore: boolean;
}

/** Which of the broadcasts that an inbox is to get. */
export interface MissedRange {
  readonly limit: number;
  readonly joinedAt: Date | null;
}

/** Broadcasts to be placed in an inbox. */
export interface BroadcastsToPlace extends Pick<MissedBroadcasts, "placedUpTo" | "beganAfter" | "upTo"> {
  /** The numbers of those that the user is to get. */
  readonly numbers: readonly number[];
  readonly at: Date;
}

/** A broadcast in an inbox. */
export interface PlacedBroadcast {
  readonly number: number;
  readonly item: CreatedItem;
}

/** A broadcast that was due. */
export interface SentBroadcast extends Pick<Notification, "tenant" | "id"> {
  /** Null if its status stays, since other deliveries are still to be made. */
  readonly changed: SendChanged | null;
}

/** A broadcast whose next page of users somebody reads from the host. */
export interface PagedBroadcast extends Pick<Notification, "tenant" | "id"> {
  /** Opaque to core: it changes with every page, and whenever the page is taken up. */
  readonly mark: string;
  /** Of the page; null for the first one. */
  readonly cursor: string | null;
  /** How many users come before. */
  readonly place: number;
  /** The users who do not get it. */
  readonly except: readonly string[];
  /** Whether it has expired, so that nobody is to get it any more. */
  readonly isExpired: boolean;
}

/** A broadcast whose users wait to be read. */
export interface WaitingPage extends Pick<Notification, "tenant" | "id"> {
  readonly since: Date;
}

/** A page of users for a broadcast. */
export interface BroadcastPage {
  /** Distinct, sorted bytewise. */
  readonly users: readonly string[];
  /** The cursor of the next page; null after the last one. */
  readonly next: string | null;
}

/** A user who does not get a broadcast. */
export interface BroadcastException {
  readonly notificationId: string;
  readonly userId: string;
}

/**
 * The part of a storage that keeps broadcasts: one row each. Their numbers are given out in commit order, so that an inbox has to
 * remember one number. Counts of an inbox tell when it is behind its tenant's newest one.
 */
export interface BroadcastStorage<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>> {
  /** Writes a broadcast with its notification, and gives it the tenant's next number. It writes nothing if the notification is there. */
  create(broadcast: NewBroadcast): Promise<void>;

  /** Does the same through the host's own open transaction: see `InboxStorage.createWithin`. Other broadcasts of the tenant wait for its end. */
  createWithin(tx: Tx, broadcast: NewBroadcast, onCommit: () => void): Written;

  /** Begins an inbox that has no row, after the tenant's newest broadcast. Like {@link place}, it does not wait. */
  begin(owner: Owner): Promise<unknown>;

  /**
   * Begins those inboxes of users that have no row, as {@link begin} does; the users are distinct, and sorted bytewise. One that another transaction is
   * beginning is left to it.
   */
  beginAll(tenant: string, userIds: readonly string[]): Promise<void>;

  /**
   * Returns up to `limit` broadcasts that an inbox is to get; null for an inbox that has not begun. Expired ones are left out.
   *
   * @param joinedAt if nobody has looked at the inbox before: it gets what went out after this time, too
   */
  missed(owner: Owner, at: Date, { limit, joinedAt }: MissedRange): Promise<MissedBroadcasts | null>;

  /**
   * Places broadcasts in an inbox, in one transaction, and moves its number to `upTo`. Broadcasts that have ended or expired are left
   * out. Null, and nothing is written, if the inbox is not placed up to `placedUpTo` any more, or if another transaction holds it, or
   * the database, at this moment: reads call it, so it does not wait.
   */
  place(owner: Owner, placed: BroadcastsToPlace): Promise<readonly PlacedBroadcast[] | null>;

  /**
   * Gives broadcasts their numbers that are due at `at`, up to 100, so that they are placed from then on, and ends those that have expired;
   * and says when the next one is due.
   */
  sendDue(at: Date): Promise<{ readonly sent: readonly SentBroadcast[]; readonly nextDueAt: Date | null }>;

  /**
   * Takes up the next page of the oldest broadcast that is due at `at`, that has users to be read from the host, and not many to be written:
   * until `until`, nobody else is given it. Null when there is none.
   */
  takePage(at: Date, until: Date): Promise<PagedBroadcast | null>;

  /**
   * The oldest broadcast whose next page nobody has taken up for 30 seconds, although nobody is at one and all users before are written,
   * and since when. Null when there is none.
   */
  waitingPage(at: Date): Promise<WaitingPage | null>;

  /**
   * Adds the users of a page to the fan-out of its broadcast, but for those who were deleted since it went out, and moves on to the next page, in one transaction. With null, the page is given
   * back unread. Does nothing if the broadcast has ended, or somebody else has taken up the page since.
   */
  addPage(broadcast: PagedBroadcast, page: BroadcastPage | null): Promise<void>;

  /**
   * Ends a broadcast to inboxes alone, which has no deliveries: it is placed in no further one. Writes a line of the audit log. Returns its
   * notification; null if there is no such broadcast, or it has ended. One with deliveries ends with `endFanOut` of these.
   */
  end(of: Pick<Notification, "tenant" | "id">, by: { readonly actor: string; readonly at: Date }): Promise<Notification | null>;

  /**
   * Takes a user out of the exceptions of broadcasts, and keeps a keyed hash of the user as long as broadcasts that went out by `at` go on:
   * {@link addPage} leaves the user out, and {@link missed} counts nothing from before `at`. A page that somebody adds meanwhile is in the
   * fan-out's list once this resolves.
   */
  erase(owner: Owner, limit: number, at: Date): Promise<ErasureStep>;

  /** Reads the broadcasts that name a user as an exception. */
  export(owner: Owner, range: StepRange): Promise<ExportStep<BroadcastException>>;

  /** Ends broadcasts that expired by `at`, or went out before `before`, and removes notifications that nobody got. */
  sweep(times: { readonly at: Date; readonly before: Date }, range: StepRange): Promise<SweepStep>;
}
