import type { InboxCounts, InboxItem, ItemRef, Owner } from "@belfry/core";
import type { ItemMarking, ItemPlace, ItemsChange, WholeInboxChange } from "@belfry/core/storage";
import type { QueryContext } from "../database/statement.ts";
import { type ChangeToLog, prepareLogChange } from "./change-log.ts";
import { OWN, OWN_ITEM } from "./conditions.ts";
import { type GroupChange, prepareSettleGroups } from "./groups.ts";
import { type Added, NOTHING_ADDED, prepareAddToCounts, prepareInboxState, prepareNoteDue, prepareSettleDue } from "./inbox-state.ts";
import { isAway, prepareFindItems } from "./item-row.ts";

/** Marks a whole inbox read by one mark, without changing any item. */
export function prepareMarkAllRead(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const logChange = prepareLogChange(context);
  const addMark = context.prepare<Owner & { readonly upToSeq: number; readonly at: Date; readonly rev: number }>(
    "INSERT INTO belfry_read_marks (tenant, user_id, up_to_seq, read_at, rev) VALUES (:tenant, :userId, :upToSeq, :at, :rev)",
  );
  const moveUp = context.prepare<Owner>(`
    UPDATE belfry_inbox_counters SET unread = 0, read_up_to_seq = last_seq, rev = rev + 1, read_rev = rev + 1, reopened_from_seq = NULL,
      seen_unread = NULL, away_unread = NULL, away_seen_unread = NULL
    WHERE ${OWN}`);
  return (owner: Owner, at: Date, unlessDue: boolean): WholeInboxChange => {
    const { counts: before, awayUnread } = inboxState(owner);
    if (isHeldUp({ unlessDue, at }, before)) {
      return { count: 0, isChange: false, counts: before, isDue: true };
    }
    if (before.unread + awayUnread === 0) {
      return { count: 0, isChange: false, counts: before };
    }
    const rev = before.rev + 1;
    addMark.run({ ...owner, upToSeq: before.lastSeq, at, rev });
    moveUp.run(owner);
    const counts = { ...before, unread: 0, unseen: 0, rev };
    logChange(owner, counts, { kind: "read_all", at, upToSeq: before.lastSeq });
    return { count: before.unread, isChange: true, counts };
  };
}

/** Marks a whole inbox seen, without changing any item. */
export function prepareMarkAllSeen(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const logChange = prepareLogChange(context);
  const moveUp = context.prepare<Owner>(`
    UPDATE belfry_inbox_counters SET seen_up_to_seq = last_seq, rev = rev + 1, seen_rev = rev + 1, seen_unread = nullif(unread, 0),
      away_seen_unread = away_unread
    WHERE ${OWN}`);
  return (owner: Owner, at: Date, unlessDue: boolean): WholeInboxChange => {
    const { counts, awayUnread, awaySeenUnread } = inboxState(owner);
    if (isHeldUp({ unlessDue, at }, counts)) {
      return { count: 0, isChange: false, counts, isDue: true };
    }
    if (counts.unseen === 0 && awayUnread <= awaySeenUnread) {
      return { count: 0, isChange: false, counts };
    }
    moveUp.run(owner);
    const after = { ...counts, unseen: 0, rev: counts.rev + 1 };
    logChange(owner, after, { kind: "seen_all", at, upToSeq: counts.lastSeq });
    return { count: counts.unseen, isChange: true, counts: after };
  };
}

/** How a mark changes items. */
export interface MarkRule {
  /** Where it finds them. @default ["active"] */
  readonly places?: readonly ItemPlace[];
  /** The assignments to each; `at`, `until` and the number of the change, `rev`, are its values. */
  readonly set: string;
  changes(item: ItemFlags): boolean;
  /** What a changed item has from then on; null if it is gone. */
  after(at: Date, until: Date | null): Partial<InboxItem> | null;
}

/** An item that may be replaced from now on has the key of its notification. */
const KEY_AGAIN = "replace_key = (SELECT n.replace_key FROM belfry_notifications n WHERE n.pk = notification_pk)";

const GONE: MarkRule = {
  set: "deleted_at = :at, archived_at = NULL, snoozed_until = NULL, expires_at = NULL, replace_key = NULL",
  changes: () => true,
  after: () => null,
};

export const MARKS: Readonly<Record<ItemMarking["mark"], MarkRule>> = {
  read: {
    // It is seen without a mark of its own. The mark says which change read it.
    set: "read_at = :at, seen_mark = :rev",
    changes: ({ readAt }) => readAt === null,
    after: (at) => ({ readAt: new Date(at), isSeen: true }),
  },
  unread: {
    // It was read, and so it was seen.
    set: `read_at = NULL, unread_rev = :rev, seen_mark = :rev, ${KEY_AGAIN}`,
    changes: ({ readAt }) => readAt !== null,
    after: () => ({ readAt: null }),
  },
  seen: { set: "seen_mark = :rev", changes: ({ isSeen }) => !isSeen, after: () => ({ isSeen: true }) },
  unseen: {
    set: "seen_mark = -:rev",
    changes: ({ isSeen, readAt }) => isSeen && readAt === null,
    after: () => ({ isSeen: false }),
  },
  pinned: { set: "pinned_at = :at", changes: ({ pinnedAt }) => pinnedAt === null, after: (at) => ({ pinnedAt: new Date(at) }) },
  unpinned: { set: "pinned_at = NULL", changes: ({ pinnedAt }) => pinnedAt !== null, after: () => ({ pinnedAt: null }) },
  archived: {
    places: ["active", "archived"],
    set: "archived_at = :at, deleted_at = :at",
    changes: ({ archivedAt }) => archivedAt === null,
    after: (at) => ({ archivedAt: new Date(at) }),
  },
  unarchived: {
    places: ["archived", "active"],
    set: `archived_at = NULL, deleted_at = NULL, ${KEY_AGAIN}`,
    changes: ({ archivedAt }) => archivedAt !== null,
    after: () => ({ archivedAt: null }),
  },
  snoozed: {
    set: "snoozed_until = :until, deleted_at = :at",
    changes: () => true,
    after: (_, until) => ({ snoozedUntil: until }),
  },
  woken: {
    places: ["snoozed"],
    // It is unread, but not unseen.
    set: `snoozed_until = NULL, deleted_at = NULL, woken_at = :at, read_at = NULL, unread_rev = :rev,
      seen_mark = CASE WHEN :isSeen THEN :rev ELSE seen_mark END, ${KEY_AGAIN}`,
    changes: () => true,
    after: () => ({ snoozedUntil: null, readAt: null }),
  },
  deleted: GONE,
  expired: GONE,
};

interface MarkValues {
  readonly seq: number;
  readonly at: Date;
  readonly until: Date | null;
  readonly rev: number;
  readonly isSeen: number;
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
  const settleTimes = prepareSettleTimes(context);
  const settleGroups = prepareSettleGroups(context);
  return (owner: Owner, refs: readonly ItemRef[], marking: ItemMarking): ItemsChange => {
    const { mark, at, continues, openUntil } = marking;
    const until = marking.mark === "snoozed" ? marking.until : null;
    const rule = MARKS[mark];
    const { state, items } = findItems(owner, refs, marking.places ?? rule.places);
    const { counts } = state;
    if (isHeldUp(marking, counts)) {
      return { items: [], changed: new Set(), counts, isDue: true };
    }
    const changed = items.filter(rule.changes);
    const after = rule.after(at, until);
    for (const { seq, isSeen } of changed) {
      statements.get(mark)?.run({ ...owner, seq, at, until, isSeen: Number(isSeen), rev: counts.rev + 1 });
    }
    if (changed.length > 0) {
      settleTimes(owner, marking);
    }
    const reopened = after?.readAt === null ? changed.map(({ seq }) => seq).filter((seq) => seq <= state.readUpToSeq) : [];
    const moves = changed.map((item): ItemMove => [item, after === null ? null : { ...item, ...after }]);
    settleGroups(owner, state.readRev, groupChanges(moves));
    const added = addedBy(moves);
    return {
      items: after === null ? items : items.map((item) => (rule.changes(item) ? { ...item, ...after } : item)),
      changed: new Set(changed.map(({ seq }) => seq)),
      counts: addToCounts(owner, counts, {
        change: changeOf(changed, { kind: mark, at, until, continues, openUntil }),
        reopened,
        ...added,
      }),
    };
  };
}

/** Notes in the counters when items come back that were put off, or that some came back. */
function prepareSettleTimes(context: QueryContext) {
  const settleDue = prepareSettleDue(context);
  const noteDue = prepareNoteDue(context);
  return (owner: Owner, marking: ItemMarking): void => {
    if (marking.mark === "snoozed") {
      noteDue(owner, marking.until);
    } else if (marking.mark === "woken") {
      settleDue(owner);
    }
  };
}

/** Whether something that is due comes before a mark. */
function isHeldUp({ unlessDue = false, at }: Pick<ItemMarking, "unlessDue" | "at">, { dueAt, isBehind = false }: InboxCounts): boolean {
  if (unlessDue && isBehind) {
    return true;
  }
  return unlessDue && dueAt !== undefined && dueAt <= at;
}

/** The change of these items; null if there are none. */
export function changeOf(items: readonly ItemFlags[], change: Omit<ChangeToLog, "seqs">): ChangeToLog | null {
  return items.length === 0 ? null : { ...change, seqs: items.map(({ seq }) => seq) };
}

/** Marks unread items read. */
export function prepareMarkRead(context: QueryContext) {
  const mark = prepareMark(context);
  return (owner: Owner, refs: readonly ItemRef[], at: Date): ItemsChange => mark(owner, refs, { mark: "read", at });
}

/** Marks items unread again, also those that a read mark covers. */
export function prepareMarkUnread(context: QueryContext) {
  const mark = prepareMark(context);
  return (owner: Owner, refs: readonly ItemRef[], at: Date): ItemsChange => mark(owner, refs, { mark: "unread", at });
}

/** Deletes items softly. */
export function prepareRemove(context: QueryContext) {
  const mark = prepareMark(context);
  return (owner: Owner, refs: readonly ItemRef[], at: Date): ItemsChange => mark(owner, refs, { mark: "deleted", at });
}

/** What of an item decides how it counts, and whether a mark changes it. */
export type ItemFlags = Pick<InboxItem, "seq" | "group" | "readAt" | "isSeen" | "pinnedAt" | "archivedAt" | "snoozedUntil">;

/** How an item was, and how it is from then on; null if it is gone. */
export type ItemMove = readonly [before: ItemFlags, after: ItemFlags | null];

/** What changes of items add to the counts of their groups. */
export function groupChanges(moves: readonly ItemMove[]): readonly GroupChange[] {
  return moves.flatMap((move) => {
    const [{ group, seq }] = move;
    return group === null ? [] : { group, seq, ...addedBy([move]) };
  });
}

/** What changes of items add to the counts. */
export function addedBy(changes: readonly ItemMove[]): Added {
  const sum = { ...NOTHING_ADDED };
  for (const [before, after] of changes) {
    addTo(sum, before, -1);
    if (after !== null) {
      addTo(sum, after, 1);
    }
  }
  return sum;
}

function addTo(sum: { -readonly [Key in keyof Added]: number }, item: ItemFlags, sign: 1 | -1): void {
  const unread = item.readAt === null ? sign : 0;
  const seenUnread = item.isSeen ? unread : 0;
  if (isAway(item)) {
    sum.awayUnread += unread;
    sum.awaySeenUnread += seenUnread;
  } else {
    sum.total += sign;
    sum.unread += unread;
    sum.seenUnread += seenUnread;
  }
}
