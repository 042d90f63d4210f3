import type { Owner } from "@belfry/core";
import type { GroupItemsQuery, GroupListQuery, GroupSummary, GroupsPage } from "@belfry/core/storage";
import { shownActors } from "@belfry/storage-sql";
import type { QueryContext } from "../database/statement.ts";
import { OWN, OWN_ITEMS } from "./conditions.ts";
import { prepareInboxState } from "./inbox-state.ts";
import { prepareFindItem } from "./item-row.ts";

/** What a change of one item, or of several of one group, adds to the counts of the group. */
export interface GroupChange {
  /** Null adds nothing. */
  readonly group: string | null;
  /** The number of an item that may be the group's newest one from now on. @default none */
  readonly seq?: number;
  readonly total: number;
  readonly unread: number;
}

/** The items `i` of the inbox of the values `tenant` and `userId` that have a group. */
const GROUPED_ITEMS = `belfry_inbox_items i INDEXED BY belfry_inbox_items_grouped WHERE ${OWN_ITEMS}`;
/** The unread items of a group's row after a change. */
export const UNREAD = "max(CASE WHEN read_rev = :readRev THEN unread ELSE 0 END + :unread, 0)";

/** The values that name a group. */
export type GroupValues = Owner & { readonly group: string };

/** Brings the rows of groups up to date with items that were changed, in an inbox whose newest read mark was made by `readRev`. */
export function prepareSettleGroups({ prepare }: QueryContext) {
  type Values = GroupValues & { readonly unread: number; readonly readRev: number };
  const addUnread = prepare<Values>(
    `UPDATE belfry_inbox_groups SET unread = ${UNREAD}, read_rev = :readRev WHERE ${OWN} AND group_name = :group`,
  );
  const addItems = prepare<Values & { readonly total: number; readonly seq: number }>(`
    UPDATE belfry_inbox_groups AS g SET total = max(total + :total, 0), unread = ${UNREAD}, read_rev = :readRev, newest_seq = CASE WHEN total + :total <= 0 THEN 0 ELSE coalesce((
      SELECT i.seq FROM ${GROUPED_ITEMS} AND i.group_name = g.group_name AND i.seq <= max(g.newest_seq, :seq) AND i.deleted_at IS NULL
      ORDER BY i.seq DESC LIMIT 1), 0) END
    WHERE ${OWN} AND group_name = :group`);
  return (owner: Owner, readRev: number, changes: readonly GroupChange[]): void => {
    for (const [group, { total, unread, seq }] of sumsOf(changes)) {
      const values = { ...owner, group, readRev, unread };
      if (total !== 0) {
        addItems.run({ ...values, total, seq });
      } else if (unread !== 0) {
        addUnread.run(values);
      }
    }
  };
}

function sumsOf(changes: readonly GroupChange[]): ReadonlyMap<string, Required<Omit<GroupChange, "group">>> {
  const sums = new Map<string, Required<Omit<GroupChange, "group">>>();
  for (const { group, seq = 0, total, unread } of changes) {
    if (group !== null) {
      const sum = sums.get(group) ?? { total: 0, unread: 0, seq: 0 };
      sums.set(group, { total: sum.total + total, unread: sum.unread + unread, seq: Math.max(sum.seq, seq) });
    }
  }
  return sums;
}

/** Removes the rows of groups whose last item is gone for good. */
export function prepareDropGroups({ prepare }: QueryContext) {
  const drop = prepare<GroupValues>(`
    DELETE FROM belfry_inbox_groups AS g WHERE ${OWN} AND group_name = :group
      AND NOT EXISTS (SELECT 1 FROM ${GROUPED_ITEMS} AND i.group_name = g.group_name)`);
  return (owner: Owner, changes: readonly Pick<GroupChange, "group">[]): void => {
    for (const group of new Set(changes.map((change) => change.group))) {
      if (group !== null) {
        drop.run({ ...owner, group });
      }
    }
  };
}

type GroupRow = readonly [group: string, newestSeq: number, total: number, unread: number, actors: string];

/** Reads a page of the groups of an inbox. */
export function prepareGroups(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const findItem = prepareFindItem(context);
  const page = (unread: string) =>
    context.prepareRows<Owner & Required<Omit<GroupListQuery, "status">> & { readonly readRev: number }, GroupRow>(`
      SELECT group_name, newest_seq, total, CASE WHEN read_rev = :readRev THEN unread ELSE 0 END, actors
      FROM belfry_inbox_groups INDEXED BY belfry_inbox_groups_newest
      WHERE ${OWN} AND newest_seq > 0 AND newest_seq < :before ${unread} ORDER BY newest_seq DESC LIMIT :limit`);
  const pages = { all: page(""), unread: page("AND unread > 0 AND read_rev = :readRev") };
  return (owner: Owner, { status, before = Number.MAX_SAFE_INTEGER, limit }: GroupListQuery): GroupsPage => {
    const state = inboxState(owner);
    const rows = pages[status].all({ ...owner, before, limit, readRev: state.readRev });
    const groups = rows.flatMap(([group, seq, total, unread, actors]): readonly GroupSummary[] => {
      const newest = findItem(owner, state, { seq })?.item;
      return newest === undefined ? [] : [{ group, total, unread, newest, ...shownActors(actors) }];
    });
    return { groups, counts: state.counts };
  };
}

/** Finds the numbers of items of a group, oldest first. */
export function prepareGroupItems({ prepareRows }: QueryContext) {
  const of = (place: string) =>
    prepareRows<GroupValues & Required<Pick<GroupItemsQuery, "after" | "upTo" | "limit">>, readonly [seq: number]>(
      `SELECT i.seq FROM ${GROUPED_ITEMS} AND i.group_name = +:group AND i.seq > +:after AND i.seq <= +:upTo AND ${place}
      ORDER BY i.seq LIMIT :limit`,
    );
  const statements = {
    active: of("i.deleted_at IS NULL"),
    unread: of("i.deleted_at IS NULL AND i.read_at IS NULL"),
    archived: of("i.archived_at IS NOT NULL"),
    snoozed: of("i.snoozed_until IS NOT NULL"),
  };
  return (owner: Owner, { group, place, after = 0, upTo = Number.MAX_SAFE_INTEGER, limit }: GroupItemsQuery): readonly number[] =>
    statements[place].all({ ...owner, group, after, upTo, limit }).map(([seq]) => seq);
}
