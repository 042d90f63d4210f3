import type { InboxItem, ItemRef, Owner } from "@belfry/core";
import type { ItemMarking, ItemPlace, ItemsChange, WholeInboxChange } from "@belfry/core/storage";
import type { QueryContext } from "../database/statement.ts";
import { OWN, OWN_ITEM } from "./conditions.ts";
import { type Added, NOTHING_ADDED, prepareAddToCounts, prepareInboxState } from "./inbox-state.ts";
import { prepareFindItems } from "./item-row.ts";

/** Marks unread items read. */
export function prepareMarkRead(context: QueryContext) {
  const findItems = prepareFindItems(context);
  const addToCounts = prepareAddToCounts(context);
  const setReadAt = context.prepare<Owner & { readonly seq: number; readonly at: Date }>(
    `UPDATE belfry_inbox_items SET read_at = :at WHERE ${OWN_ITEM}`,
  );
  return (owner: Owner, refs: readonly ItemRef[], at: Date): ItemsChange => {
    const { state, items } = findItems(owner, refs);
    const unread = items.filter(({ readAt }) => readAt === null);
    for (const { seq } of unread) {
      setReadAt.run({ ...owner, seq, at });
    }
    const seenUnread = unread.filter(({ isSeen }) => isSeen).length;
    return {
      items: items.map((item) => (item.readAt === null ? { ...item, readAt: new Date(at), isSeen: true } : item)),
      changed: new Set(unread.map(({ seq }) => seq)),
      counts: addToCounts(owner, state.counts, { isChange: unread.length > 0, unread: -unread.length, seenUnread: -seenUnread }),
    };
  };
}

/** Marks items unread again, also those that a read mark covers. */
export function prepareMarkUnread(context: QueryContext) {
  const findItems = prepareFindItems(context);
  const setUnread = context.prepare<Owner & { readonly seq: number; readonly rev: number }>(
    // It was read, and so it was seen.
    `UPDATE belfry_inbox_items SET read_at = NULL, unread_rev = :rev, seen_mark = :rev WHERE ${OWN_ITEM}`,
  );
  const addToUnread = context.prepare<Owner & { readonly count: number; readonly fromSeq: number | null }>(`
    UPDATE belfry_inbox_counters SET unread = unread + :count, seen_unread = coalesce(seen_unread, 0) + :count, rev = rev + 1,
      reopened_from_seq = min(coalesce(reopened_from_seq, :fromSeq), coalesce(:fromSeq, reopened_from_seq)) WHERE ${OWN}`);
  return (owner: Owner, refs: readonly ItemRef[]): ItemsChange => {
    const { state, items } = findItems(owner, refs);
    const { counts, readUpToSeq } = state;
    const changed = new Set(items.filter(({ readAt }) => readAt !== null).map(({ seq }) => seq));
    for (const seq of changed) {
      setUnread.run({ ...owner, seq, rev: counts.rev + 1 });
    }
    if (changed.size > 0) {
      const covered = [...changed].filter((seq) => seq <= readUpToSeq);
      addToUnread.run({ ...owner, count: changed.size, fromSeq: covered.length > 0 ? Math.min(...covered) : null });
    }
    const after = { ...counts, unread: counts.unread + changed.size, rev: counts.rev + Number(changed.size > 0) };
    return { items: items.map((item) => ({ ...item, readAt: null })), changed, counts: after };
  };
}

/** Marks a whole inbox read by one mark, without changing any item. */
export function prepareMarkAllRead(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const addMark = context.prepare<Owner & { readonly upToSeq: number; readonly at: Date; readonly rev: number }>(
    "INSERT INTO belfry_read_marks (tenant, user_id, up_to_seq, read_at, rev) VALUES (:tenant, :userId, :upToSeq, :at, :rev)",
  );
  const moveUp = context.prepare<Owner>(`
    UPDATE belfry_inbox_counters SET unread = 0, read_up_to_seq = last_seq, rev = rev + 1, read_rev = rev + 1, reopened_from_seq = NULL,
      seen_unread = NULL, away_unread = NULL, away_seen_unread = NULL
    WHERE ${OWN}`);
  return (owner: Owner, at: Date): WholeInboxChange => {
    const { counts: before, awayUnread } = inboxState(owner);
    if (before.unread + awayUnread === 0) {
      return { count: 0, counts: before };
    }
    const rev = before.rev + 1;
    addMark.run({ ...owner, upToSeq: before.lastSeq, at, rev });
    moveUp.run(owner);
    return { count: before.unread, counts: { ...before, unread: 0, unseen: 0, rev } };
  };
}

/** Marks a whole inbox seen, without changing any item. */
export function prepareMarkAllSeen(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const moveUp = context.prepare<Owner>(`
    UPDATE belfry_inbox_counters SET seen_up_to_seq = last_seq, rev = rev + 1, seen_rev = rev + 1, seen_unread = nullif(unread, 0),
      away_seen_unread = away_unread
    WHERE ${OWN}`);
  return (owner: Owner): WholeInboxChange => {
    const { counts, awayUnread, awaySeenUnread } = inboxState(owner);
    if (counts.unseen === 0 && awayUnread <= awaySeenUnread) {
      return { count: 0, counts };
    }
    moveUp.run(owner);
    return { count: counts.unseen, counts: { ...counts, unseen: 0, rev: counts.rev + 1 } };
  };
}

/** How a mark changes items. */
interface MarkRule {
  /** Where it finds them. @default ["active"] */
  readonly places?: readonly ItemPlace[];
  /** The assignments to each; `at`, `until` and the number of the change, `rev`, are its values. */
  readonly set: string;
  changes(item: InboxItem): boolean;
  /** What a changed item has from then on. */
  after(at: Date, until: Date | null): Partial<InboxItem>;
  /** What each changed item adds to the counts: flags of it are 0 or 1. */
  added(isUnread: number, isSeenUnread: number): Partial<Added>;
}

const MARKS: Readonly<Record<ItemMarking["mark"], MarkRule>> = {
  seen: {
    set: "seen_mark = :rev",
    changes: ({ isSeen }) => !isSeen,
    after: () => ({ isSeen: true }),
    added: () => ({ seenUnread: 1 }),
  },
  unseen: {
    set: "seen_mark = -:rev",
    changes: ({ isSeen, readAt }) => isSeen && readAt === null,
    after: () => ({ isSeen: false }),
    added: () => ({ seenUnread: -1 }),
  },
  pinned: {
    set: "pinned_at = :at",
    changes: ({ pinnedAt }) => pinnedAt === null,
    after: (at) => ({ pinnedAt: new Date(at) }),
    added: () => ({}),
  },
  unpinned: {
    set: "pinned_at = NULL",
    changes: ({ pinnedAt }) => pinnedAt !== null,
    after: () => ({ pinnedAt: null }),
    added: () => ({}),
  },
  archived: {
    places: ["active", "archived"],
    set: "archived_at = :at, deleted_at = :at",
    changes: ({ archivedAt }) => archivedAt === null,
    after: (at) => ({ archivedAt: new Date(at) }),
    added: (unread, seen) => ({ total: -1, unread: -unread, seenUnread: -seen, awayUnread: unread, awaySeenUnread: seen }),
  },
  unarchived: {
    places: ["archived", "active"],
    set: "archived_at = NULL, deleted_at = NULL",
    changes: ({ archivedAt }) => archivedAt !== null,
    after: () => ({ archivedAt: null }),
    added: (unread, seen) => ({ total: 1, unread, seenUnread: seen, awayUnread: -unread, awaySeenUnread: -seen }),
  },
  snoozed: {
    set: "snoozed_until = :until, deleted_at = :at",
    changes: () => true,
    after: (_, until) => ({ snoozedUntil: until }),
    added: (unread, seen) => ({ total: -1, unread: -unread, seenUnread: -seen, awayUnread: unread, awaySeenUnread: seen }),
  },
  woken: {
    places: ["snoozed"],
    // It is unread, but not unseen.
    set: "snoozed_until = NULL, deleted_at = NULL, read_at = NULL, unread_rev = :rev, seen_mark = CASE WHEN :isSeen THEN :rev ELSE seen_mark END",
    changes: () => true,
    after: () => ({ snoozedUntil: null, readAt: null }),
    added: (unread, seen) => ({ total: 1, unread: 1, seenUnread: 1 - unread + seen, awayUnread: -unread, awaySeenUnread: -seen }),
  },
};

interface MarkValues {
  readonly seq: number;
  readonly at: Date;
  readonly until: Date | null;
  readonly rev: number;
  readonly isSeen: number;
}

/** Notes in the counters when the next snoozed item is due, and the first of those that are unread in spite of a read mark. */
function prepareSettle({ prepare }: QueryContext) {
  const settle = prepare<Owner & { readonly fromSeq: number | null }>(`
    UPDATE belfry_inbox_counters SET
      due_at = (SELECT min(snoozed_until) FROM belfry_inbox_items INDEXED BY belfry_inbox_items_snoozed WHERE ${OWN} AND snoozed_until IS NOT NULL),
      reopened_from_seq = min(coalesce(reopened_from_seq, :fromSeq), coalesce(:fromSeq, reopened_from_seq)) WHERE ${OWN}`);
  return (owner: Owner, reopened: readonly number[]): void => {
    settle.run({ ...owner, fromSeq: reopened.length > 0 ? Math.min(...reopened) : null });
  };
}

/** How many items are woken at a time. */
const WOKEN_AT_ONCE = 1_000;

/** Wakes the snoozed items of an inbox whose time has come. */
export function prepareWakeDue(context: QueryContext) {
  const mark = prepareMark(context);
  const settle = prepareSettle(context);
  const due = context.prepareRows<Owner & { readonly at: Date }, readonly [seq: number]>(`
    SELECT seq FROM belfry_inbox_items INDEXED BY belfry_inbox_items_snoozed
    WHERE ${OWN} AND snoozed_until IS NOT NULL AND snoozed_until <= :at ORDER BY seq LIMIT ${WOKEN_AT_ONCE}`);
  return (owner: Owner, at: Date): ItemsChange => {
    const refs = due.all({ ...owner, at }).map(([seq]) => ({ seq }));
    if (refs.length === 0) {
      settle(owner, []);
    }
    return mark(owner, refs, { mark: "woken", at });
  };
}

/** Gives items a mark. */
export function prepareMark(context: QueryContext) {
  const findItems = prepareFindItems(context);
  const addToCounts = prepareAddToCounts(context);
  const prepared = Object.entries(MARKS).map(([mark, { set }]) => {
    const text = `UPDATE belfry_inbox_items SET ${set} WHERE ${OWN_ITEM}`;
    return [mark, context.prepare<Owner & MarkValues>(text)] as const;
  });
  const statements = new Map(prepared);
  const settle = prepareSettle(context);
  return (owner: Owner, refs: readonly ItemRef[], marking: ItemMarking): ItemsChange => {
    const { mark, at } = marking;
    const until = marking.mark === "snoozed" ? marking.until : null;
    const { places, changes, after, added } = MARKS[mark];
    const { state, items } = findItems(owner, refs, places);
    const changed = items.filter(changes);
    for (const { seq, isSeen } of changed) {
      statements.get(mark)?.run({ ...owner, seq, at, until, isSeen: Number(isSeen), rev: state.counts.rev + 1 });
    }
    if (changed.length > 0 && (mark === "snoozed" || mark === "woken")) {
      settle(owner, mark === "woken" ? changed.map(({ seq }) => seq).filter((seq) => seq <= state.readUpToSeq) : []);
    }
    const isSeenUnread = ({ isSeen, readAt }: InboxItem) => Number(isSeen && readAt === null);
    const sum = sumOf(changed.map((item) => added(Number(item.readAt === null), isSeenUnread(item))));
    return {
      items: items.map((item) => (changes(item) ? { ...item, ...after(at, until) } : item)),
      changed: new Set(changed.map(({ seq }) => seq)),
      counts: addToCounts(owner, state.counts, { isChange: changed.length > 0, ...sum }),
    };
  };
}

function sumOf(parts: readonly Partial<Added>[]): Added {
  const sum = { ...NOTHING_ADDED };
  for (const part of parts) {
    for (const [key, value] of Object.entries(part) as [keyof Added, number][]) {
      sum[key] += value;
    }
  }
  return sum;
}
