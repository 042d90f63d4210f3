import { newEpoch } from "../foundation/epoch.ts";
import type { Owner } from "../foundation/owner.ts";
import type { PageBounds } from "../foundation/page-bounds.ts";
import {
  EMPTY_COUNTS,
  type InboxCounts,
  type InboxItem,
  type InboxPage,
  type InboxQuery,
  type InboxSweep,
  type InboxTail,
  type ItemsChange,
  inboxItem,
} from "../inbox/index.ts";
import type { Notification } from "../notifications/index.ts";

interface MemoryItem {
  readonly seq: number;
  readonly notification: Notification;
  readonly createdAt: Date;
  /** When this very item was marked read; null while unread or read only by a mark over the whole inbox. */
  readAt: Date | null;
  deletedAt: Date | null;
  /** The change that marked it unread again. */
  unreadRev: number;
}

interface ReadMark {
  readonly rev: number;
  readonly upToSeq: number;
  readonly readAt: Date;
}

/** One user's inbox. Items are never taken out, so the one numbered `seq` stands at `seq - 1`. */
export class MemoryInbox {
  readonly #owner: Owner;
  /** Undefined where one was deleted for good. */
  readonly #items: (MemoryItem | undefined)[] = [];
  /** Ascending: a later mark covers more. */
  readonly #marks: ReadMark[] = [];
  #total = 0;
  #unread = 0;
  #rev = 0;
  #epoch = newEpoch();

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  get epoch(): string {
    return this.counts().epoch;
  }

  counts(): InboxCounts {
    const lastSeq = this.#items.length;
    return lastSeq === 0 ? EMPTY_COUNTS : { total: this.#total, unread: this.#unread, lastSeq, epoch: this.#epoch, rev: this.#rev };
  }

  renewEpoch(): void {
    this.#epoch = newEpoch();
  }

  /** Adds an item and returns its number. */
  add(notification: Notification, createdAt: Date): number {
    const seq = this.#items.length + 1;
    this.#items.push({ seq, notification, createdAt: new Date(createdAt), readAt: null, deletedAt: null, unreadRev: 0 });
    this.#total += 1;
    this.#unread += 1;
    return seq;
  }

  /** Walks from the newest item down and stops when the page is full: a first page costs the same in any inbox. */
  page({ status, type, before = Number.POSITIVE_INFINITY, offset = 0, limit }: InboxQuery): InboxPage {
    const items: InboxItem[] = [];
    let toSkip = offset;
    for (let seq = Math.min(before - 1, this.#items.length); seq > 0 && items.length < limit; seq -= 1) {
      const item = this.#at(seq);
      if (!item || !this.#matches(item, { status, type })) {
        continue;
      }
      if (toSkip > 0) {
        toSkip -= 1;
      } else {
        items.push(this.#render(item));
      }
    }
    return { items, counts: this.counts(), matching: this.#matching({ status, type }) };
  }

  after(seq: number, { limit, bytes }: PageBounds): InboxTail {
    const items: InboxItem[] = [];
    let size = 0;
    for (let next = seq + 1; next <= this.#items.length && items.length < limit && size < bytes; next += 1) {
      const item = this.#at(next);
      if (item) {
        const { title, message, data } = item.notification;
        size += title.length + message.length + JSON.stringify(data).length;
        items.push(this.#render(item));
      }
    }
    return { items, counts: this.counts() };
  }

  get(seq: number, { includeDeleted = false }: { readonly includeDeleted?: boolean } = {}): InboxItem | null {
    const item = includeDeleted ? this.#items[seq - 1] : this.#at(seq);
    return item ? this.#render(item) : null;
  }

  markRead(seqs: Iterable<number>, at: Date): ItemsChange {
    return this.#change(seqs, (item) => {
      if (this.#readAt(item) !== null) {
        return false;
      }
      item.readAt = new Date(at);
      this.#unread -= 1;
      return true;
    });
  }

  markUnread(seqs: Iterable<number>): ItemsChange {
    return this.#change(seqs, (item) => {
      if (this.#readAt(item) === null) {
        return false;
      }
      item.readAt = null;
      item.unreadRev = this.#rev + 1;
      this.#unread += 1;
      return true;
    });
  }

  /** Notes that an item's text changed. */
  touch(seq: number): void {
    if (this.#at(seq)) {
      this.#rev += 1;
    }
  }

  markAllRead(at: Date): InboxSweep {
    const count = this.#unread;
    if (count > 0) {
      this.#rev += 1;
      this.#marks.push({ rev: this.#rev, upToSeq: this.#items.length, readAt: new Date(at) });
      this.#unread = 0;
    }
    return { count, counts: this.counts() };
  }

  remove(seqs: Iterable<number>, at: Date): ItemsChange {
    return this.#change(seqs, (item) => {
      this.#delete(item, at);
      return true;
    });
  }

  /** Deletes an item for good; its number stays unused. Returns it as it was, null if it was deleted before. */
  purge(seq: number, at: Date): InboxItem | null {
    const item = this.#at(seq);
    const was = item ? this.#render(item) : null;
    if (item) {
      this.#delete(item, at);
      this.#rev += 1;
    }
    this.#items[seq - 1] = undefined;
    return was;
  }

  removeRead(at: Date): InboxSweep {
    const read = this.#items.filter((item) => item !== undefined && this.#matches(item, { status: "read" })) as MemoryItem[];
    for (const item of read) {
      this.#delete(item, at);
    }
    this.#rev += Number(read.length > 0);
    return { count: read.length, counts: this.counts() };
  }

  #change(seqs: Iterable<number>, change: (item: MemoryItem) => boolean): ItemsChange {
    const items: InboxItem[] = [];
    const changed = new Set<number>();
    for (const seq of new Set(seqs)) {
      const item = this.#at(seq);
      if (!item) {
        continue;
      }
      if (change(item)) {
        changed.add(seq);
      }
      items.push(this.#render(item));
    }
    this.#rev += Number(changed.size > 0);
    return { items, changed, counts: this.counts() };
  }

  #delete(item: MemoryItem, at: Date): void {
    this.#total -= 1;
    if (this.#readAt(item) === null) {
      this.#unread -= 1;
    }
    item.deletedAt = new Date(at);
  }

  /** The item of that number, unless it is deleted. */
  #at(seq: number): MemoryItem | undefined {
    const item = this.#items[seq - 1];
    return item?.deletedAt === null ? item : undefined;
  }

  #matches(item: MemoryItem, { status, type }: Filter): boolean {
    if (item.deletedAt !== null || (type !== undefined && item.notification.type !== type)) {
      return false;
    }
    return status === "all" || (status === "read") === (this.#readAt(item) !== null);
  }

  #matching(filter: Filter): number {
    if (filter.type !== undefined) {
      return this.#items.filter((item) => item !== undefined && this.#matches(item, filter)).length;
    }
    const byStatus = { all: this.#total, unread: this.#unread, read: this.#total - this.#unread };
    return byStatus[filter.status];
  }

  /** The item's own time, else that of the earliest mark that covers it. */
  #readAt(item: MemoryItem): Date | null {
    const newest = this.#marks.at(-1);
    if (item.readAt !== null || newest === undefined || newest.upToSeq < item.seq || newest.rev < item.unreadRev) {
      return item.readAt;
    }
    let low = 0;
    let high = this.#marks.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { upToSeq, rev } = this.#marks[middle] ?? { upToSeq: 0, rev: 0 };
      if (upToSeq >= item.seq && rev > item.unreadRev) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return this.#marks[low]?.readAt ?? null;
  }

  /** Dates are given out as copies: a caller who changes one changes nothing here. */
  #render(item: MemoryItem): InboxItem {
    const readAt = this.#readAt(item);
    const state = { seq: item.seq, readAt: readAt === null ? null : new Date(readAt) };
    return { ...inboxItem(item.notification, this.#owner, state), createdAt: new Date(item.createdAt) };
  }
}

type Filter = Pick<InboxQuery, "status"> & { readonly type?: string | undefined };
