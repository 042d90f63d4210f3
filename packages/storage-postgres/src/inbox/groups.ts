import type { Owner } from "@belfry/core";
import {
  EMPTY_COUNTS,
  type GroupItemsQuery,
  type GroupListQuery,
  type GroupPlaces,
  type GroupSummary,
  type GroupsPage,
} from "@belfry/core/storage";
import { shownActors } from "@belfry/storage-sql";
import type { Session } from "../database/connection.ts";
import { memoized, type ScanLimit, scanLimit, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { COUNTS_COLUMNS, COUNTS_WIDTH, type CountsRow, inboxState, toCounts } from "./inbox-state.ts";
import { ITEM_MARKS, isItemRow, itemColumns, joinNotification, type MaybeItemRow, ownReadTime, toItem } from "./item-row.ts";

/** How items that a statement changes count in their groups, as SQL. */
export interface GroupSums {
  /**
   * Selects `group_name` and what the group's items add to its `total` and `unread`, with the highest `seq` of those that come; one
   * row for each group. Over several inboxes, also `tenant` and `user_id`.
   */
  readonly sums: string;
  /** Selects the numbers of the items that leave, of the inbox of the group's row `g`. The statement still sees them as they were. */
  readonly gone: string;
}

/**
 * A common table expression that brings the rows of groups of the held `inbox`, that of tenant $1 and user $2, up to date.
 *
 * @param list what has the `seq` and `group_name` of the items that leave
 */
export function settleOwnGroups(tables: TableNames, { sums, list }: Pick<GroupSums, "sums"> & { readonly list: string }): string {
  // Names the groups twice: a plan that was made while the table was small, and is kept, may compare all groups of the inbox with each.
  const named = `AND g.group_name = ANY (ARRAY(SELECT group_name FROM ${list} WHERE group_name IS NOT NULL))`;
  return settling(tables, { from: `(${sums}) t CROSS JOIN inbox c`, owner: ["$1", "$2"], gone: `SELECT seq FROM ${list}`, named });
}

/** The same for groups of several inboxes, which the transaction holds. */
export function settleGroups(tables: TableNames, { sums, gone }: GroupSums): string {
  const counters = `SELECT read_rev FROM ${tables.inboxCounters} WHERE tenant = t.tenant AND user_id = t.user_id OFFSET 0`;
  return settling(tables, { from: `(${sums}) t CROSS JOIN LATERAL (${counters}) c`, owner: ["t.tenant", "t.user_id"], gone });
}

interface Settling {
  readonly from: string;
  readonly owner: readonly [tenant: string, userId: string];
  readonly gone: string;
  /** A further condition on the group `g`. */
  readonly named?: string;
}

function settling({ inboxGroups, inboxItems }: TableNames, { from, owner: [tenant, userId], gone, named = "" }: Settling): string {
  return `grouped AS (
    UPDATE ${inboxGroups} g SET total = greatest(g.total + t.total, 0), unread = greatest(${UNREAD} + t.unread, 0), read_rev = c.read_rev,
      newest_seq = CASE WHEN t.total = 0 THEN g.newest_seq WHEN t.total > 0 THEN greatest(g.newest_seq, t.seq)
        WHEN g.total + t.total <= 0 THEN 0 ELSE coalesce((
        SELECT i.seq FROM ${inboxItems} i WHERE i.tenant = g.tenant AND i.user_id = g.user_id AND i.group_name = g.group_name
          AND i.seq <= g.newest_seq AND i.deleted_at IS NULL AND i.seq NOT IN (${gone})
        ORDER BY i.seq DESC LIMIT 1), 0) END
    FROM ${from} WHERE g.tenant = ${tenant} AND g.user_id = ${userId} AND g.group_name = t.group_name ${named}
  )`;
}

/** How many items of the group `g` are unread, beside the counters `c` of its inbox. */
export const UNREAD = "CASE WHEN g.read_rev = c.read_rev THEN g.unread ELSE 0 END";

/** Removes the rows of groups whose last item is gone for good: those of rows that end with a group, or null. */
export function prepareDropGroups({ inboxGroups, inboxItems }: TableNames) {
  const drop = statement<[]>(
    "drop_groups",
    `DELETE FROM ${inboxGroups} g USING unnest($1::text[], $2::text[], $3::text[]) AS k(tenant, user_id, group_name)
    WHERE g.tenant = k.tenant COLLATE "C" AND g.user_id = k.user_id COLLATE "C" AND g.group_name = k.group_name COLLATE "C" AND NOT EXISTS (
      SELECT FROM ${inboxItems} i WHERE i.tenant = g.tenant AND i.user_id = g.user_id AND i.group_name = g.group_name)`,
  );
  return async (session: Session, dropped: readonly (readonly [pk: number, ...Owned, group: string | null])[]): Promise<void> => {
    const grouped = dropped.filter(([, , , group]) => group !== null);
    if (grouped.length > 0) {
      await session.rows(
        drop,
        [1, 2, 3].map((column) => grouped.map((row) => row[column])),
      );
    }
  };
}

type Owned = readonly [tenant: string, userId: string];

type GroupRow = readonly [...CountsRow, ...GroupColumns, ...MaybeItemRow];
type GroupColumns = readonly [group: string, total: number, unread: number, actors: string];

/** Reads a page of the groups of an inbox. */
export function prepareGroups(tables: TableNames) {
  const page = memoized((variant: `${GroupListQuery["status"]} ${ScanLimit}`) => {
    const [status, scan] = variant.split(" ");
    return statement<GroupRow>(
      `groups_${status}`,
      `WITH ${inboxState(tables)}
      SELECT ${COUNTS_COLUMNS}, g.group_name, g.total, g.unread, g.actors, ${itemColumns(ownReadTime(tables))}
      FROM inbox
      LEFT JOIN LATERAL (
        SELECT * FROM (
          SELECT group_name, newest_seq, total, CASE WHEN read_rev = inbox.read_rev THEN unread ELSE 0 END AS unread, actors
          FROM ${tables.inboxGroups} WHERE tenant = $1 AND user_id = $2 AND newest_seq > 0 AND newest_seq < $3
            ${status === "unread" ? "AND unread > 0 AND read_rev = inbox.read_rev" : ""}
          ORDER BY newest_seq DESC LIMIT ${scan}
        ) scan
        LIMIT $4
      ) g ON true
      LEFT JOIN LATERAL (
        SELECT seq, type, created_at, read_at, unread_rev, notification_pk, ${ITEM_MARKS} FROM ${tables.inboxItems}
        WHERE tenant = $1 AND user_id = $2 AND seq = g.newest_seq OFFSET 0
      ) i ON true
      ${joinNotification(tables)}
      ORDER BY g.newest_seq DESC`,
    );
  });
  return (owner: Owner, { status, before = Number.MAX_SAFE_INTEGER, limit }: GroupListQuery) =>
    async (session: Session): Promise<GroupsPage> => {
      const rows = await session.rows(page(`${status} ${scanLimit(limit)}`), [owner.tenant, owner.userId, before, limit]);
      const groups = rows.flatMap((row): readonly GroupSummary[] => {
        const [group, total, unread, actors] = row.slice(COUNTS_WIDTH) as unknown as GroupColumns;
        const item = row.slice(COUNTS_WIDTH + 4) as MaybeItemRow;
        return isItemRow(item) ? [{ group, total, unread, newest: toItem(item, owner), ...shownActors(actors) }] : [];
      });
      const [first] = rows;
      return { groups, counts: first === undefined ? EMPTY_COUNTS : toCounts(first) };
    };
}

const IN_PLACES: Readonly<Record<GroupPlaces, string>> = {
  active: "deleted_at IS NULL",
  unread: "deleted_at IS NULL AND read_at IS NULL",
  archived: "archived_at IS NOT NULL",
  snoozed: "snoozed_until IS NOT NULL",
};

/** Finds the numbers of items of a group, oldest first. */
export function prepareGroupItems({ inboxItems }: TableNames) {
  const items = memoized((place: GroupPlaces) =>
    statement<[seq: number]>(
      `group_items_${place}`,
      `SELECT seq FROM ${inboxItems} WHERE tenant = $1 AND user_id = $2 AND group_name = $3 AND seq > $4 AND seq <= $5
        AND ${IN_PLACES[place]} ORDER BY seq LIMIT $6`,
    ),
  );
  return ({ tenant, userId }: Owner, { group, place, after = 0, upTo = Number.MAX_SAFE_INTEGER, limit }: GroupItemsQuery) =>
    async (session: Session): Promise<readonly number[]> =>
      (await session.rows(items(place), [tenant, userId, group, after, upTo, limit])).map(([seq]) => seq);
}
