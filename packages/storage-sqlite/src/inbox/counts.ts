import type { Owner } from "@belfry/core";
import type { CountedItems, ItemPlace, ItemTally, KnownPosition, TallyQuery } from "@belfry/core/storage";
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
  group: string | null,
  count: number,
];

interface GroupValues extends Owner, ReadState {
  readonly limit: number;
  readonly groups: readonly string[] | undefined;
}

const ASKED_GROUP = "CASE WHEN i.group_name IN (SELECT value FROM json_each(:groups)) THEN i.group_name END";

/** Counts the newest items of places, those together that are alike. */
export function prepareTally(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const talliesOf = (place: ItemPlace, priority: string, group: string) =>
    context.prepareRows<GroupValues, GroupRow>(`
      SELECT i.type, i.category, ${priority}, ${IS_READ}, ${IS_SEEN}, i.pinned_at IS NOT NULL, ${group}, count(*)
      FROM (${newestOf({ place })} LIMIT :limit) i GROUP BY 1, 2, 3, 4, 5, 6, 7`);
  const prepared = new Map<string, ReturnType<typeof talliesOf>>();
  const statementOf = (place: ItemPlace, { withPriorities, groups }: TallyQuery) => {
    const key = `${place} ${withPriorities} ${groups !== undefined}`;
    const statement =
      prepared.get(key) ?? talliesOf(place, withPriorities ? PRIORITY : "NULL", groups === undefined ? "NULL" : ASKED_GROUP);
    prepared.set(key, statement);
    return statement;
  };
  return (owner: Owner, query: TallyQuery): CountedItems => {
    const { places, limit, groups } = query;
    const state = inboxState(owner);
    const tallies: Record<ItemPlace, readonly ItemTally[]> = { active: [], archived: [], snoozed: [] };
    for (const place of places) {
      tallies[place] = statementOf(place, query)
        .all({ ...state, ...owner, limit, groups })
        .map((row) => toTally(row, groups !== undefined));
    }
    return { counts: state.counts, tallies };
  };
}

function toTally([type, category, priority, isRead, isSeen, isPinned, group, count]: GroupRow, withGroups: boolean): ItemTally {
  const states = { isRead: isRead === 1, isSeen: isSeen === 1, isPinned: isPinned === 1 };
  return { type, category, priority, ...(withGroups ? { group } : {}), ...states, count };
}

/** Reads the last number and the epoch of several inboxes, each one row by its key. */
export function preparePositions(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  return (owners: readonly Owner[]): readonly KnownPosition[] =>
    owners.map((owner) => {
      const { lastSeq, epoch, rev, isBehind } = inboxState(owner).counts;
      return { seq: lastSeq, epoch, rev, ...(isBehind ? { lacksBroadcasts: true } : {}) };
    });
}
