import type { InboxCounts, InboxItem, ItemRef, Notification, Owner } from "@belfry/core";
import type {
  GroupSummary,
  InboxQuery,
  ItemFilter,
  ItemMarking,
  ItemPlace,
  ItemTally,
  MatchingStep,
  NewNotification,
} from "@belfry/core/storage";
import { itemOf, sortBytewise } from "../fixture.ts";
import type { LoggedLine } from "../inbox/change-log.ts";

/** One item of the model. */
export interface ModelRow extends Owner {
  readonly seq: number;
  notification: Notification;
  readonly createdAt: Date;
  readAt: Date | null;
  /** Whether it was seen, however it was read since. */
  seen: boolean;
  pinnedAt: Date | null;
  archivedAt: Date | null;
  snoozedUntil: Date | null;
  /** Whether it came back after it was put off. */
  woken: boolean;
  deleted: boolean;
}

interface ModelChunk {
  readonly notification: Notification;
  readonly recipients: readonly string[];
}

const UNMARKED = { seen: false, pinnedAt: null, archivedAt: null, snoozedUntil: null, woken: false, deleted: false };

function isActive({ deleted, archivedAt, snoozedUntil }: ModelRow): boolean {
  return !deleted && archivedAt === null && snoozedUntil === null;
}

function isSnoozed({ deleted, snoozedUntil }: ModelRow): boolean {
  return !deleted && snoozedUntil !== null;
}

function isArchived({ deleted, archivedAt }: ModelRow): boolean {
  return !deleted && archivedAt !== null;
}

function isSeen({ readAt, seen }: ModelRow): boolean {
  return seen || readAt !== null;
}

/** Where the items are that a mark finds, if not among the active ones. */
const FOUND_IN: Readonly<Partial<Record<ItemMarking["mark"], readonly ItemPlace[]>>> = {
  archived: ["active", "archived"],
  unarchived: ["active", "archived"],
  woken: ["snoozed"],
};

interface MarkRule {
  changes(row: ModelRow): boolean;
  change(row: ModelRow, at: Date, until: Date | null): void;
}

const PLACES: Readonly<Record<ItemPlace, (row: ModelRow) => boolean>> = { active: isActive, archived: isArchived, snoozed: isSnoozed };

const MARKS: Readonly<Record<ItemMarking["mark"], MarkRule>> = {
  read: { changes: ({ readAt }) => readAt === null, change: (row, at) => Object.assign(row, { readAt: at }) },
  unread: { changes: ({ readAt }) => readAt !== null, change: (row) => Object.assign(row, { readAt: null, seen: true }) },
  deleted: { changes: () => true, change: (row) => Object.assign(row, { deleted: true }) },
  expired: { changes: () => true, change: (row) => Object.assign(row, { deleted: true }) },
  seen: { changes: (row) => !isSeen(row), change: (row) => Object.assign(row, { seen: true }) },
  unseen: { changes: ({ readAt, seen }) => readAt === null && seen, change: (row) => Object.assign(row, { seen: false }) },
  pinned: { changes: ({ pinnedAt }) => pinnedAt === null, change: (row, at) => Object.assign(row, { pinnedAt: at }) },
  unpinned: { changes: ({ pinnedAt }) => pinnedAt !== null, change: (row) => Object.assign(row, { pinnedAt: null }) },
  archived: { changes: ({ archivedAt }) => archivedAt === null, change: (row, at) => Object.assign(row, { archivedAt: at }) },
  unarchived: { changes: ({ archivedAt }) => archivedAt !== null, change: (row) => Object.assign(row, { archivedAt: null }) },
  snoozed: { changes: () => true, change: (row, _, until) => Object.assign(row, { snoozedUntil: until }) },
  woken: { changes: () => true, change: (row) => Object.assign(row, { snoozedUntil: null, woken: true, seen: isSeen(row), readAt: null }) },
};

/** The part of a change that the model predicts: the numbers of the items found, and of those changed. */
export interface ModelChange {
  readonly found: readonly number[];
  readonly changed: readonly number[];
}

/** A line of the log; of the times, the model predicts only until when items are snoozed. */
export type ModelLine = Omit<LoggedLine, "at">;

/** A storage as an array of items in which everything is found by looking at all of them: slow, and plainly right. */
export class InboxModel {
  readonly #rows: ModelRow[] = [];
  readonly #chunks: ModelChunk[] = [];
  readonly #written: NewNotification[] = [];
  /** How many changes each inbox has seen. */
  readonly #revs = new Map<string, number>();
  readonly #logs = new Map<string, readonly ModelLine[]>();

  /** Everything that was ever handed in and not rolled back. */
  get written(): readonly NewNotification[] {
    return this.#written;
  }

  /** Every item of every tenant, deleted ones included, in the order they were written. */
  get rows(): readonly ModelRow[] {
    return this.#rows;
  }

  create({ notification, recipients }: NewNotification): readonly number[] {
    if (!this.#knows(notification)) {
      this.#written.push({ notification, recipients });
      this.#deliver(notification, { recipients, createdAt: notification.createdAt });
    }
    return recipients.flatMap((userId) => this.#find({ tenant: notification.tenant, userId }, notification.id)?.seq ?? []);
  }

  createFanOut(entry: NewNotification, chunkSize: number): void {
    this.#written.push(entry);
    for (let start = 0; start < entry.recipients.length; start += chunkSize) {
      this.#chunks.push({ notification: entry.notification, recipients: entry.recipients.slice(start, start + chunkSize) });
    }
  }

  /** The oldest chunk of the tenant after `after`, or of the first tenant. */
  fanOutNext(at: Date, after: string): { readonly tenant: string; readonly seqs: readonly number[] } | null {
    // Names of the model's tenants are ASCII, which JavaScript compares bytewise.
    const tenants = sortBytewise([...new Set(this.#chunks.map(({ notification }) => notification.tenant))]);
    const tenant = tenants.find((name) => name > after) ?? tenants[0];
    const chunk = this.#chunks.find(({ notification }) => notification.tenant === tenant);
    if (tenant === undefined || chunk === undefined) {
      return null;
    }
    this.#chunks.splice(this.#chunks.indexOf(chunk), 1);
    return { tenant, seqs: this.#deliver(chunk.notification, { recipients: chunk.recipients, createdAt: at }) };
  }

  /** Newest first. */
  list(owner: Owner, query: Omit<InboxQuery, "limit"> & { readonly limit?: number }): readonly InboxItem[] {
    return this.#of(owner)
      .filter(PLACES[query.place ?? "active"])
      .filter((row) => query.type === undefined || row.notification.type === query.type)
      .filter((row) => query.status === "all" || (row.readAt === null) === (query.status === "unread"))
      .filter((row) => matchesFilter(row, query.filter ?? {}))
      .filter((row) => query.before === undefined || row.seq < query.before)
      .toReversed()
      .slice(query.offset ?? 0)
      .slice(0, query.limit)
      .map(toItem);
  }

  listAfter(owner: Owner, seq: number, limit: number): readonly InboxItem[] {
    return this.#present(owner)
      .filter((row) => row.seq > seq)
      .slice(0, limit)
      .map(toItem);
  }

  /** By notification, newest first; the order of one notification's items is the storage's affair, here by user. */
  listTenant(tenant: string): readonly InboxItem[] {
    return this.#rows
      .filter((row) => row.tenant === tenant && isActive(row))
      .map(toItem)
      .toSorted(byNotification);
  }

  counts(owner: Owner): Omit<InboxCounts, "epoch"> {
    const present = this.#present(owner);
    return {
      total: present.length,
      unread: present.filter((row) => row.readAt === null).length,
      unseen: present.filter((row) => !isSeen(row)).length,
      lastSeq: this.#of(owner).length,
      rev: this.#revs.get(keyOf(owner)) ?? 0,
    };
  }

  /** The items of a place in groups that are alike in what filters ask for, sorted by {@link byGroup}. */
  alike(owner: Owner, place: ItemPlace): readonly ItemTally[] {
    const groups = new Map<string, ItemTally>();
    for (const row of this.#of(owner).filter(PLACES[place])) {
      const { type, category, priority } = row.notification;
      const group = { type, category, priority, isRead: row.readAt !== null, isSeen: isSeen(row), isPinned: row.pinnedAt !== null };
      const key = JSON.stringify(group);
      groups.set(key, { ...group, count: (groups.get(key)?.count ?? 0) + 1 });
    }
    return [...groups.values()].toSorted(byGroup);
  }

  /** The groups with active items, by their newest one. */
  groups(owner: Owner): readonly GroupSummary[] {
    const present = Map.groupBy(this.#present(owner), ({ notification }) => notification.group);
    const groups = [...present].flatMap(([group, rows]): readonly GroupSummary[] => {
      const newest = rows.at(-1);
      if (group === null || newest === undefined) {
        return [];
      }
      const came = this.#of(owner).filter(({ notification }) => notification.group === group);
      const actors = new Set(came.flatMap(({ notification: { actor } }) => actor ?? []));
      const unread = rows.filter(({ readAt }) => readAt === null).length;
      return [{ group, total: rows.length, unread, newest: toItem(newest), actors: [...actors].slice(0, 3), actorCount: actors.size }];
    });
    return groups.toSorted((one, other) => other.newest.seq - one.newest.seq);
  }

  get(owner: Owner, ref: ItemRef): InboxItem | null {
    const row = this.#find(owner, ref);
    return row && isActive(row) ? toItem(row) : null;
  }

  absence(owner: Owner, ref: ItemRef): "deleted" | "foreign" | "unknown" {
    if (this.#find(owner, ref)) {
      return "deleted";
    }
    const known = this.#written.some(({ notification }) => notification.id === ref && notification.tenant === owner.tenant);
    return known ? "foreign" : "unknown";
  }

  markRead(owner: Owner, refs: readonly ItemRef[], at: Date): ModelChange {
    return this.mark(owner, refs, { mark: "read", at });
  }

  markUnread(owner: Owner, refs: readonly ItemRef[], at: Date): ModelChange {
    return this.mark(owner, refs, { mark: "unread", at });
  }

  markAllRead(owner: Owner, at: Date): number {
    const unread = this.#of(owner)
      .filter(({ deleted }) => !deleted)
      .filter((row) => row.readAt === null);
    for (const row of unread) {
      row.readAt = at;
    }
    this.#noteChange(owner, { changed: unread }, { kind: "read_all", seqs: null, upToSeq: this.#of(owner).length });
    return unread.filter(isActive).length;
  }

  markAllSeen(owner: Owner): number {
    const unseen = this.#of(owner)
      .filter(({ deleted }) => !deleted)
      .filter((row) => !isSeen(row));
    for (const row of unseen) {
      row.seen = true;
    }
    this.#noteChange(owner, { changed: unseen }, { kind: "seen_all", seqs: null, upToSeq: this.#of(owner).length });
    return unseen.filter(isActive).length;
  }

  mark(owner: Owner, refs: readonly ItemRef[], marking: ItemMarking): ModelChange {
    const { changes, change } = MARKS[marking.mark];
    const places = marking.places ?? FOUND_IN[marking.mark] ?? ["active"];
    const found = this.#findAll(owner, refs, (row) => places.some((place) => PLACES[place](row)));
    const changed = found.filter(changes);
    const until = marking.mark === "snoozed" ? marking.until : null;
    for (const row of changed) {
      change(row, marking.at, until);
    }
    return this.#noteChange(owner, { found, changed }, { kind: marking.mark, until });
  }

  changeMatching(owner: Owner, { mark, at, places, filter, after, upTo }: MatchingStep): ModelChange & { readonly count: number } {
    const matching = this.#of(owner)
      .filter((row) => row.seq > after && row.seq <= upTo && places.some((place) => PLACES[place](row)))
      .filter((row) => matchesFilter(row, filter));
    const active = new Set(matching.filter(isActive).map((row) => row.seq));
    const change = mark === "deleted_read" ? this.#deleteRead(owner, matching) : this.mark(owner, matching, { mark, at, places });
    return { ...change, count: change.changed.filter((seq) => active.has(seq)).length };
  }

  /** What has expired goes, wherever it is; then what was put off comes back. */
  applyDue(owner: Owner, at: Date): { readonly expired: ModelChange; readonly woken: ModelChange } {
    const over = this.#of(owner).filter(({ notification: { expiresAt } }) => expiresAt !== null && expiresAt <= at);
    const expired = this.mark(owner, over, { mark: "expired", at, places: ["active", "archived", "snoozed"] });
    const due = this.#of(owner).filter((row) => isSnoozed(row) && row.snoozedUntil !== null && row.snoozedUntil <= at);
    return { expired, woken: this.mark(owner, due, { mark: "woken", at }) };
  }

  /** An item that is not deleted, wherever it is. */
  there(owner: Owner, ref: ItemRef): InboxItem | null {
    const row = this.#find(owner, ref);
    return row && !row.deleted ? toItem(row) : null;
  }

  /** When an inbox changes by the clock for the first time; null for never. */
  dueAt(owner: Owner): Date | null {
    const there = this.#of(owner).filter(({ deleted }) => !deleted);
    const times = there.flatMap((row) => [row.snoozedUntil, row.notification.expiresAt]).filter((time) => time !== null);
    return times.toSorted((one, other) => one.getTime() - other.getTime())[0] ?? null;
  }

  remove(owner: Owner, refs: readonly ItemRef[], at: Date): ModelChange {
    return this.mark(owner, refs, { mark: "deleted", at });
  }

  removeRead(owner: Owner): number {
    return this.#deleteRead(owner, this.#present(owner)).changed.length;
  }

  #deleteRead(owner: Owner, rows: readonly ModelRow[]): ModelChange {
    const changed = rows.filter(({ readAt }) => readAt !== null);
    for (const row of changed) {
      row.deleted = true;
    }
    return this.#noteChange(owner, { changed }, { kind: "deleted_read" });
  }

  /** Gives a notification to users who do not have it yet, and answers the numbers of the items of all of them. */
  place(notification: Notification, users: readonly string[], createdAt: Date): readonly number[] {
    const ownerOf = (userId: string): Owner => ({ tenant: notification.tenant, userId });
    this.#deliver(notification, { recipients: users.filter((userId) => !this.#find(ownerOf(userId), notification.id)), createdAt });
    return users.flatMap((userId) => this.#find(ownerOf(userId), notification.id)?.seq ?? []);
  }

  /** Changes what the items of a notification say. */
  change(notification: Notification): void {
    for (const row of this.#rows) {
      if (row.notification.id === notification.id) {
        row.notification = notification;
        this.#noteChange(row, { changed: row.deleted ? [] : [row] }, { kind: "updated" });
      }
    }
  }

  /** Deletes the items of a notification; their numbers are not given out again. Answers those that were there. */
  forget({ id }: Pick<Notification, "id">): readonly InboxItem[] {
    const items = this.#rows.filter((row) => row.notification.id === id && !row.deleted);
    const present = items.filter(isActive);
    for (const row of items) {
      this.#noteChange(row, { changed: [row] }, { kind: "deleted" });
      row.deleted = true;
    }
    return present.map(toItem).toSorted(byNotification);
  }

  #deliver(notification: Notification, { recipients, createdAt }: { recipients: readonly string[]; createdAt: Date }): readonly number[] {
    return recipients.map((userId) => {
      const owner = { tenant: notification.tenant, userId };
      const seq = this.#of(owner).length + 1;
      const row = { ...owner, seq, notification, createdAt, readAt: null, ...UNMARKED };
      this.#rows.push(row);
      this.#settle(row);
      return seq;
    });
  }

  /** A new item wakes its group if that is snoozed as a whole, and then replaces the unread active ones of its key. */
  #settle(row: ModelRow): void {
    const { group, replaceKey } = row.notification;
    const others = this.#of(row).filter((one) => one !== row);
    const together = others.filter(({ notification }) => group !== null && notification.group === group);
    if (!together.some(isActive)) {
      this.mark(row, together, { mark: "woken", at: row.createdAt });
    }
    const replaced = others.filter(({ notification, readAt }) => notification.replaceKey === replaceKey && readAt === null);
    if (replaceKey !== null) {
      this.mark(row, replaced, { mark: "deleted", at: row.createdAt });
    }
  }

  /** The inbox's changes, oldest first. */
  log(owner: Owner): readonly ModelLine[] {
    return this.#logs.get(keyOf(owner)) ?? [];
  }

  #noteChange(
    owner: Owner,
    { found = [], changed }: { readonly found?: readonly ModelRow[]; readonly changed: readonly ModelRow[] },
    logged: Partial<ModelLine> & Pick<ModelLine, "kind">,
  ): ModelChange {
    const seqs = changed.map((row) => row.seq);
    if (changed.length > 0) {
      const { rev, lastSeq } = this.counts(owner);
      this.#revs.set(keyOf(owner), rev + 1);
      const named = { seqs: seqs.toSorted((one, other) => one - other), upToSeq: null, group: null, until: null };
      this.#logs.set(keyOf(owner), [...this.log(owner), { rev: rev + 1, lastSeq, ...named, ...logged }]);
    }
    return { found: found.map((row) => row.seq), changed: seqs };
  }

  /** Gives an inbox's last change as many numbers as the steps in which it was made. */
  noteSteps(owner: Owner, revs: number): void {
    const { rev } = this.counts(owner);
    if (revs > 1) {
      this.#revs.set(keyOf(owner), rev + revs - 1);
      const log = this.log(owner).map((line) => (line.rev === rev ? { ...line, rev: rev + revs - 1 } : line));
      this.#logs.set(keyOf(owner), log);
    }
  }

  #knows({ tenant, id }: Notification): boolean {
    return this.#written.some(({ notification }) => notification.tenant === tenant && notification.id === id);
  }

  #of({ tenant, userId }: Owner): readonly ModelRow[] {
    return this.#rows.filter((row) => row.tenant === tenant && row.userId === userId);
  }

  #present(owner: Owner): readonly ModelRow[] {
    return this.#of(owner).filter(isActive);
  }

  #find(owner: Owner, ref: ItemRef): ModelRow | undefined {
    return this.#of(owner).find((row) => (typeof ref === "string" ? row.notification.id === ref : row.seq === ref.seq));
  }

  /** The items that are there, each once, in the order of the refs. */
  #findAll(owner: Owner, refs: readonly ItemRef[], isThere = isActive): readonly ModelRow[] {
    const rows = refs.flatMap((ref) => this.#find(owner, ref) ?? []);
    return [...new Set(rows)].filter(isThere);
  }
}

function keyOf({ tenant, userId }: Owner): string {
  return JSON.stringify([tenant, userId]);
}

function toItem(row: ModelRow): InboxItem {
  const { notification, userId, seq, readAt, createdAt, pinnedAt, archivedAt, snoozedUntil } = row;
  return itemOf({ ...notification, createdAt }, { userId, seq, readAt, isSeen: isSeen(row), pinnedAt, archivedAt, snoozedUntil });
}

/** Whether an item meets every condition of a filter. */
function matchesFilter(
  row: ModelRow,
  { types, categories, priorities, isRead, isSeen: seen, isPinned, wasSnoozed, group }: ItemFilter,
): boolean {
  const { type, category, priority } = row.notification;
  const isOfCategory = category === null ? categories?.types.includes(type) : categories?.names.includes(category);
  return [
    types?.includes(type),
    categories === undefined || isOfCategory,
    priorities?.includes(priority),
    isRead === undefined || isRead === (row.readAt !== null),
    seen === undefined || seen === isSeen(row),
    isPinned === undefined || isPinned === (row.pinnedAt !== null),
    wasSnoozed === undefined || row.woken,
    group === undefined || group === row.notification.group,
  ].every((condition) => condition ?? true);
}

/** Any order of groups that is always the same. */
export function byGroup(left: ItemTally, right: ItemTally): number {
  return compare(JSON.stringify(Object.entries(left).toSorted()), JSON.stringify(Object.entries(right).toSorted()));
}

/** Newest notification first, then by user. */
export function byNotification(left: InboxItem, right: InboxItem): number {
  return compare(right.id, left.id) || compare(left.userId, right.userId);
}

function compare(left: string, right: string): number {
  return Number(left > right) - Number(left < right);
}
