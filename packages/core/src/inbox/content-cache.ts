import type { Owner } from "../foundation/context.ts";
import type { InboxCounts } from "./inbox-item.ts";

/** All that a list of an inbox depends on: while it stays the same, the same question has the same answer. */
export interface InboxVersion {
  readonly counts: InboxCounts;
  /**
   * A random number of the tenant, which whatever changes the content of a notification replaces in the same transaction; null before the
   * first change. It never comes back, so it stayed the same between two moments at which it was.
   */
  readonly contentToken: number | null;
}

/** What was made of an inbox at one version of it. */
interface KeptInbox {
  readonly version: InboxVersion;
  readonly made: Map<string, Kept>;
  /** Whether it was asked for since it was put last. */
  isUsed: boolean;
}

interface Kept {
  readonly value: unknown;
  readonly bytes: number;
}

/** Something to be kept, and its size in memory. */
export interface Keeping {
  readonly value: unknown;
  readonly bytes: number;
}

/** How much memory the content cache takes, unless it is told otherwise. */
export const CONTENT_CACHE_BYTES = 32 * 1024 * 1024;

/** What an inbox, and each thing that was made of it, take beside their own size. */
const OVERHEAD_BYTES = 512;
/** Nothing may take more than this part of the cache. */
const LARGEST_SHARE = 8;
/** How many questions it remembers that were asked once. */
const ASKED_ONCE = 65_536;
/** From this part on it counts as full. */
const FULL_SHARE = 7 / 8;
/** Of so many questions that are asked again, a full cache takes one in. */
const TAKEN_OF = 16;

/**
 * Keeps what was made of inboxes: pages, and the texts that contracts made of them. It is exact without being told of any change. What is
 * kept counts only while the inbox has the version that it was made of, and that is read from the database each time:
 * - New items raise `lastSeq`, and any other change of an inbox raises `rev`, in the transaction of the change. A new epoch comes with each
 *   numbering: after a user was deleted, and after `renewEpochs`, which a restored backup needs.
 * - Content that changes without that, such as an actor whose user was deleted, replaces the tenant's content token. A trigger does it, so
 *   that processes of older versions and statements by hand do it, too. A migration that changes rows of items must replace all tokens.
 *
 * A version is the counts that came with a page, and a token that was read before it. If the token is the same later, it was the same while
 * the page was read.
 *
 * It takes so many bytes at the most: inboxes that were not asked for since the last time that room was needed go first, the oldest of them
 * before others. A question that was asked once is not kept, only remembered by a number: most of those never come again. A full cache takes
 * in few new ones: where more inboxes are read in turns than it has room for, each would drive out another one before that is read again, and
 * none would be found.
 */
export class ContentCache {
  readonly #maxBytes: number;
  /** In the order in which they were put: an inbox that was asked for since is put last once more when it would have to go. */
  readonly #inboxes = new Map<string, KeptInbox>();
  #askedOnce: Uint32Array | null = null;
  #refused = 0;
  #bytes = 0;
  #last = { tenant: "", userId: "", key: "0 " };

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Roughly how much memory it takes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether it is worth while to look at the version of an inbox for this question: something is kept for it, or is to be kept. */
  isWorthwhile(owner: Owner, question: string): boolean {
    if (this.#maxBytes === 0) {
      return false;
    }
    const key = this.#keyOf(owner);
    if (this.#inboxes.get(key)?.made.has(question) === true) {
      return true;
    }
    return this.#isAskedAgain(key, question) && (!this.#isFull || this.#isTaken());
  }

  /** What was kept for this question at this version. */
  find(owner: Owner, question: string, version: InboxVersion): unknown {
    const key = this.#keyOf(owner);
    const inbox = this.#inboxes.get(key);
    if (inbox === undefined) {
      return undefined;
    }
    if (!isSame(inbox.version, version)) {
      this.#drop(key, inbox);
      return undefined;
    }
    inbox.isUsed = true;
    return inbox.made.get(question)?.value;
  }

  /** Keeps what answers this question at this version. */
  keep(owner: Owner, question: string, { version, value, bytes }: Keeping & { readonly version: InboxVersion }): void {
    const key = this.#keyOf(owner);
    let inbox = this.#inboxes.get(key);
    if (inbox !== undefined && !isSame(inbox.version, version)) {
      this.#drop(key, inbox);
      inbox = undefined;
    }
    const size = bytes + 2 * question.length + OVERHEAD_BYTES;
    if (!(size * LARGEST_SHARE <= this.#maxBytes)) {
      return;
    }
    if (inbox === undefined) {
      inbox = { version, made: new Map(), isUsed: false };
      this.#inboxes.set(key, inbox);
      this.#bytes += inboxBytes(key);
    }
    this.#bytes += size - (inbox.made.get(question)?.bytes ?? 0);
    inbox.made.set(question, { value, bytes: size });
    this.#makeRoom();
  }

  /** Drops all that was made of an inbox. */
  forget(owner: Owner): void {
    const key = this.#keyOf(owner);
    const inbox = this.#inboxes.get(key);
    if (inbox !== undefined) {
      this.#drop(key, inbox);
    }
  }

  /** An inbox as a text. No two have the same: the length says where the tenant ends. The last one is kept: a list asks for it three times. */
  #keyOf({ tenant, userId }: Owner): string {
    if (this.#last.tenant !== tenant || this.#last.userId !== userId) {
      this.#last = { tenant, userId, key: `${tenant.length} ${tenant}${userId}` };
    }
    return this.#last.key;
  }

  #isAskedAgain(key: string, question: string): boolean {
    this.#askedOnce ??= new Uint32Array(ASKED_ONCE);
    const hash = hashOf(key, question);
    const place = hash % ASKED_ONCE;
    const isAgain = this.#askedOnce[place] === hash;
    this.#askedOnce[place] = hash;
    return isAgain;
  }

  get #isFull(): boolean {
    return this.#bytes > this.#maxBytes * FULL_SHARE;
  }

  #isTaken(): boolean {
    this.#refused = (this.#refused + 1) % TAKEN_OF;
    return this.#refused === 0;
  }

  #makeRoom(): void {
    for (const [key, inbox] of this.#inboxes) {
      if (this.#bytes <= this.#maxBytes) {
        return;
      }
      if (inbox.isUsed) {
        inbox.isUsed = false;
        this.#inboxes.delete(key);
        this.#inboxes.set(key, inbox);
      } else {
        this.#drop(key, inbox);
      }
    }
  }

  #drop(key: string, { made }: KeptInbox): void {
    this.#inboxes.delete(key);
    this.#bytes -= inboxBytes(key);
    for (const { bytes } of made.values()) {
      this.#bytes -= bytes;
    }
  }
}

function inboxBytes(key: string): number {
  return 2 * key.length + OVERHEAD_BYTES;
}

function isSame(left: InboxVersion, right: InboxVersion): boolean {
  return left.contentToken === right.contentToken && isSamePlace(left.counts, right.counts) && isSameCount(left.counts, right.counts);
}

function isSamePlace(left: InboxCounts, right: InboxCounts): boolean {
  return left.lastSeq === right.lastSeq && left.rev === right.rev && left.epoch === right.epoch;
}

/** The numbers follow from the place. To compare them as well costs nothing, and finds a mistake. */
function isSameCount(left: InboxCounts, right: InboxCounts): boolean {
  const isSameDue = left.dueAt?.getTime() === right.dueAt?.getTime() && left.isBehind === right.isBehind;
  return isSameDue && left.total === right.total && left.unread === right.unread && left.unseen === right.unseen;
}

/** FNV-1a of 32 bits over the characters of both. Never 0, which stands for nothing. */
function hashOf(key: string, question: string): number {
  return continued(continued(0x811c9dc5, key), question) >>> 0 || 1;
}

function continued(from: number, text: string): number {
  let hash = from;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash;
}

/** How much memory a text takes: a byte for each character, or two if one of them is beyond Latin-1. */
export function bytesOfText(text: string): number {
  return TEXT_BYTES + (/[\u0100-\uffff]/.test(text) ? 2 : 1) * text.length;
}

const TEXT_BYTES = 24;
