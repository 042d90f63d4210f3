import type { InboxCounts, Owner } from "@belfry/core";
import {
  MATCHED_AT_ONCE,
  type MatchingChange,
  type MatchingMark,
  type MatchingStep,
  type ReadMoment,
  rangesOf,
} from "@belfry/core/storage";
import type { QueryContext } from "../database/statement.ts";
import {
  type AsOfValues,
  asOfValues,
  type FilterValues,
  filterText,
  filterTextAsOf,
  filterValues,
  IN_PLACE,
  IS_READ,
  IS_SEEN,
  itemsOf,
  OWN,
  OWN_ITEMS,
} from "./conditions.ts";
import { prepareSettleGroups } from "./groups.ts";
import { type Added, type InboxState, NOTHING_ADDED, prepareAddToCounts, prepareInboxState, type ReadState } from "./inbox-state.ts";
import { isAway } from "./item-row.ts";
import { addedBy, changeOf, groupChanges, type ItemFlags, type ItemMove, MARKS, type MarkRule } from "./mark.ts";
import { prepareRemoveCovered } from "./remove-covered.ts";

type LookedAt = readonly [
  seq: number,
  notificationPk: number,
  isMatch: number,
  isRead: number,
  isSeen: number,
  pinnedAt: number | null,
  archivedAt: number | null,
  snoozedUntil: number | null,
  group: string | null,
];

interface LookedValues extends Owner, ReadState, FilterValues, AsOfValues {
  readonly after: number;
  readonly upTo: number;
}

const RULES: Readonly<Record<MatchingMark, MarkRule>> = {
  ...MARKS,
  deleted_read: { ...MARKS.deleted, changes: ({ readAt }) => readAt !== null },
};

interface SetValues extends Owner {
  readonly first: number;
  readonly last: number;
  readonly at: Date;
  readonly rev: number;
}

/** Changes the items that match a filter, among the next ones of a range. */
export function prepareChangeMatching(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const addToCounts = prepareAddToCounts(context);
  const lookAt = prepareLookAt(context);
  const set = prepareSet(context);
  const settleGroups = prepareSettleGroups(context);
  const removeCovered = prepareRemoveCovered(context);
  const sendsOf = context.prepareRows<{ readonly pks: readonly number[] }, readonly [id: string]>(`
    SELECT id FROM belfry_notifications WHERE pk IN (SELECT value FROM json_each(:pks)) AND kind = 'send' ORDER BY pk`);
  const look = (owner: Owner, step: MatchingStep, state: InboxState): readonly LookedAt[] => {
    const asOf = step.asOf ?? momentOf(state);
    if (asOf.epoch !== state.counts.epoch || !isAnyLeft(step.mark, state.counts)) {
      return [];
    }
    const given = { ...filterValues(step.filter), ...asOfValues(asOf) };
    return lookAt(step).all({ ...state, ...owner, ...given, after: firstAfter(step, state), upTo: step.upTo });
  };
  const changeRows = (owner: Owner, step: MatchingStep, state: InboxState): MatchingChange => {
    const { mark, at, continues } = step;
    const rows = look(owner, step, state);
    const rule = RULES[mark];
    const matching = rows.flatMap((row) => (row[2] === 1 ? [{ ...flagsOf(row), notificationPk: row[1] }] : []));
    const changed = matching.filter(rule.changes);
    const after = rule.after(at, null);
    for (const [first, last] of rangesOf(changed.map(({ seq }) => seq))) {
      set(mark).run({ ...owner, first, last, at, rev: state.counts.rev + 1 });
    }
    const reopened = after?.readAt === null ? changed.map(({ seq }) => seq).filter((seq) => seq <= state.readUpToSeq) : [];
    const moves = changed.map((item): ItemMove => [item, after === null ? null : { ...item, ...after }]);
    settleGroups(owner, state.readRev, groupChanges(moves));
    const added = addedBy(moves);
    const isMore = rows.length === MATCHED_AT_ONCE && isAnyLeft(mark, state.counts, added);
    return {
      changed: changed.length,
      count: changed.filter((item) => !isAway(item)).length,
      counts: addToCounts(owner, state.counts, {
        change: changeOf(changed, { kind: mark, at, continues, openUntil: isMore ? step.openUntil : undefined }),
        reopened,
        ...added,
      }),
      asOf: momentOf(state),
      sends: mark === "read" ? sendsOf.all({ pks: changed.map(({ notificationPk }) => notificationPk) }).map(([id]) => id) : [],
      next: isMore ? (rows.at(-1)?.[0] ?? null) : null,
    };
  };
  const removeAtOnce = (owner: Owner, step: MatchingStep, state: InboxState): MatchingChange | null => {
    const removed = removeCovered(owner, step, state);
    if (removed === null) {
      return null;
    }
    const { first, upTo, count } = removed;
    const { mark, at, openUntil } = step;
    const isMore = isAnyLeft(mark, state.counts, { ...NOTHING_ADDED, total: -count });
    const change = { kind: mark, at, ranges: [[first, upTo]], itemCount: count, openUntil: isMore ? openUntil : undefined } as const;
    const counts = addToCounts(owner, state.counts, { change, total: -count });
    return { changed: count, count, counts, asOf: momentOf(state), sends: [], next: isMore ? upTo : null };
  };
  return (owner: Owner, step: MatchingStep): MatchingChange => {
    const state = inboxState(owner);
    return removeAtOnce(owner, step, state) ?? changeRows(owner, step, state);
  };
}

function momentOf({ counts: { epoch, rev, lastSeq }, readUpToSeq, readRev, seenUpToSeq, seenRev }: InboxState): ReadMoment {
  return { epoch, rev, lastSeq, readUpToSeq, readRev, seenUpToSeq, seenRev };
}

/** Whether a step, or one after what was `added`, may find something: the counts say whether any active item is read. */
function isAnyLeft(mark: MatchingMark, { total, unread }: InboxCounts, added: Added = NOTHING_ADDED): boolean {
  return mark !== "deleted_read" || total + added.total > unread + added.unread;
}

/** The number above which items may change: nothing up to `removedUpToSeq` is there, and nothing up to `unreadAfterSeq` unread, or unseen. */
function firstAfter({ mark, after }: MatchingStep, { unreadAfterSeq, removedUpToSeq }: InboxState): number {
  return Math.max(after, mark === "read" || mark === "seen" ? unreadAfterSeq : removedUpToSeq);
}

function flagsOf([seq, , , isRead, isSeen, pinnedAt, archivedAt, snoozedUntil, group]: LookedAt): ItemFlags {
  const time = (milliseconds: number | null) => (milliseconds === null ? null : new Date(milliseconds));
  const marks = { pinnedAt: time(pinnedAt), archivedAt: time(archivedAt), snoozedUntil: time(snoozedUntil) };
  return { seq, group, readAt: isRead === 1 ? new Date(0) : null, isSeen: isSeen === 1, ...marks };
}

/** The statement that looks at the next items, by the text of its conditions. */
function prepareLookAt({ prepareRows }: QueryContext) {
  const prepare = (isMatch: string, items: string) =>
    prepareRows<LookedValues, LookedAt>(`
      SELECT i.seq, i.notification_pk, ${isMatch}, ${IS_READ}, ${IS_SEEN}, i.pinned_at, i.archived_at, i.snoozed_until, i.group_name
      FROM ${items} AND i.seq > +:after AND i.seq <= +:upTo ORDER BY i.seq LIMIT ${MATCHED_AT_ONCE}`);
  const prepared = new Map<string, ReturnType<typeof prepare>>();
  return ({ places, filter }: MatchingStep) => {
    const isThere = places.map((place) => IN_PLACE[place]).join(" OR ");
    const isMatch = `((${isThere})${filterText(filter)}${filterTextAsOf(filter)})`;
    const ofGroup = filter.group === undefined ? {} : { group: filter.group };
    const items = `${itemsOf("active", ofGroup)} WHERE ${OWN_ITEMS}${filterText(ofGroup)}`;
    const statement = prepared.get(isMatch) ?? prepare(isMatch, items);
    prepared.set(isMatch, statement);
    return statement;
  };
}

/** The statement that changes items one after the other: to look up each of their numbers would take twice as long. */
function prepareSet({ prepare }: QueryContext) {
  const prepareOne = (mark: MatchingMark) =>
    prepare<SetValues>(`UPDATE belfry_inbox_items SET ${RULES[mark].set} WHERE ${OWN} AND seq BETWEEN :first AND :last`);
  const prepared = new Map<MatchingMark, ReturnType<typeof prepareOne>>();
  return (mark: MatchingMark) => {
    const statement = prepared.get(mark) ?? prepareOne(mark);
    prepared.set(mark, statement);
    return statement;
  };
}
