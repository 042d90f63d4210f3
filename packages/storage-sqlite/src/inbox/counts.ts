import type { InboxPosition, Owner } from "@belfry/core";
import type { CountedItems, ItemPlace, ItemTally, TallyQuery } from "@belfry/core/storage";
import type { QueryContext } from "../database/statement.ts";
import { IS_READ, IS_SEEN, newestOf, PRIORITY } from "./conditions.ts";
import { prepareInboxState, type ReadState } from "./inbox-state.ts";

type GroupRow = readonly [
  type: string,
  category: string | null,
  priority: ItemTally["priority"],
  isRead: number,
  isSeen: number,
  isPinned: number,
  count: number,
];

interface GroupValues extends Owner, ReadState {
  readonly limit: number;
}

/** Counts the newest items of places, those together that are alike. */
export function prepareTally(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const talliesOf = (place: ItemPlace, priority: string) =>
    context.prepareRows<GroupValues, GroupRow>(`
      SELECT i.type, i.category, ${priority}, ${IS_READ}, ${IS_SEEN}, i.pinned_at IS NOT NULL, count(*)
      FROM (${newestOf({ place })} LIMIT :limit) i GROUP BY 1, 2, 3, 4, 5, 6`);
  const prepared = new Map<string, ReturnType<typeof talliesOf>>();
  const statementOf = (place: ItemPlace, withPriorities: boolean) => {
    const key = `${place} ${withPriorities}`;
    const statement = prepared.get(key) ?? talliesOf(place, withPriorities ? PRIORITY : "NULL");
    prepared.set(key, statement);
    return statement;
  };
  return (owner: Owner, { places, withPriorities, limit }: TallyQuery): CountedItems => {
    const state = inboxState(owner);
    const tallies: Record<ItemPlace, readonly ItemTally[]> = { active: [], archived: [], snoozed: [] };
    for (const place of places) {
      tallies[place] = statementOf(place, withPriorities)
        .all({ ...state, ...owner, limit })
        .map(toGroup);
    }
    return { counts: state.counts, tallies };
  };
}

function toGroup([type, category, priority, isRead, isSeen, isPinned, count]: GroupRow): ItemTally {
  return { type, category, priority, isRead: isRead === 1, isSeen: isSeen === 1, isPinned: isPinned === 1, count };
}

/** Reads the last number and the epoch of several inboxes, each one row by its key. */
export function preparePositions(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  return (owners: readonly Owner[]): readonly Required<InboxPosition>[] =>
    owners.map((owner) => {
      const { lastSeq, epoch, rev } = inboxState(owner).counts;
      return { seq: lastSeq, epoch, rev };
    });
}
