import { EMPTY_EPOCH, type InboxCounts, type Owner } from "@belfry/core";
import type { CountedItems, InboxVersion, ItemPlace, ItemTally, KnownPosition, TallyQuery } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { lists, memoized, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { COUNTS_COLUMNS, COUNTS_WIDTH, type CountsRow, inboxState, isBehind, toCounts } from "./inbox-state.ts";
import { IS_SEEN, itemsStatement, priorityOf } from "./item-filter.ts";
import { IN_PLACE, isRead } from "./item-row.ts";

/** Reads the counts of an inbox: one row by its key. */
export function prepareCounts(tables: TableNames) {
  const counters = statement<CountsRow>("counts", `WITH ${inboxState(tables)} SELECT ${COUNTS_COLUMNS} FROM inbox`);
  return ({ tenant, userId }: Owner) =>
    async (session: Session): Promise<InboxCounts> => {
      const [row] = await session.rows(counters, [tenant, userId]);
      return toCounts(row);
    };
}

/** Reads the counts of an inbox, and its tenant's content token. */
export function prepareVersion(tables: TableNames) {
  const version = statement<CountsRow>(
    "version",
    `WITH ${inboxState(tables)}
    SELECT ${COUNTS_COLUMNS}, (SELECT token FROM ${tables.contentTokens} WHERE tenant = $1) FROM inbox`,
  );
  return ({ tenant, userId }: Owner) =>
    async (session: Session): Promise<InboxVersion> => {
      const [row] = await session.rows(version, [tenant, userId]);
      return { counts: toCounts(row), contentToken: (row?.[COUNTS_WIDTH] ?? null) as number | null };
    };
}

type GroupRow = readonly [
  place: ItemPlace | null,
  type: string,
  category: string | null,
  priority: ItemTally["priority"],
  isRead: boolean,
  isSeen: boolean,
  isPinned: boolean,
  group: string | null,
  count: number,
];

/** The parts of a query that decide the text of its statement. */
type TallyVariant = Pick<TallyQuery, "places" | "withPriorities"> & { readonly withGroups: boolean };

/** Counts the newest items of places, those together that are alike. */
export function prepareTally(tables: TableNames) {
  const talliesOf = (place: ItemPlace, priority: string, group: string) => `
    SELECT '${place}' AS place, i.type, i.category, ${priority}, ${isRead("inbox")}, ${IS_SEEN}, i.pinned_at IS NOT NULL, ${group}, count(*)
    FROM (
      SELECT * FROM ${tables.inboxItems} i WHERE i.tenant = $1 AND i.user_id = $2 AND i.seq > coalesce(inbox.removed_up_to_seq, 0) AND ${IN_PLACE[place]}
      ORDER BY i.seq DESC LIMIT $3
    ) i GROUP BY 1, 2, 3, 4, 5, 6, 7, 8`;
  const prepared = memoized((variant: string) => {
    const { places, withPriorities, withGroups } = JSON.parse(variant) as TallyVariant;
    const group = withGroups ? "CASE WHEN i.group_name = ANY ($4::text[]) THEN i.group_name END" : "NULL::text";
    const tallies = places.map((place) => talliesOf(place, withPriorities ? priorityOf(tables) : "NULL::text", group));
    return itemsStatement<readonly [...CountsRow, ...GroupRow]>(
      "tally",
      `WITH ${inboxState(tables)}
      SELECT ${COUNTS_COLUMNS}, counted.* FROM inbox LEFT JOIN LATERAL (${tallies.join(" UNION ALL ")}) counted ON true`,
      withPriorities,
    );
  });
  return ({ tenant, userId }: Owner, { places, withPriorities, groups, limit }: TallyQuery) =>
    async (session: Session): Promise<CountedItems> => {
      const withGroups = groups !== undefined;
      const run = prepared(JSON.stringify({ places, withPriorities, withGroups } satisfies TallyVariant));
      const rows = await session.rows(run, [tenant, userId, limit, ...(withGroups ? [groups] : [])]);
      const tallies: Record<ItemPlace, ItemTally[]> = { active: [], archived: [], snoozed: [] };
      for (const row of rows) {
        const [place, type, category, priority, read, isSeen, isPinned, group, count] = row.slice(COUNTS_WIDTH) as unknown as GroupRow;
        if (place !== null) {
          tallies[place].push({ type, category, priority, ...(withGroups ? { group } : {}), isRead: read, isSeen, isPinned, count });
        }
      }
      return { counts: toCounts(rows[0]), tallies };
    };
}

/** Reads the positions of several inboxes. */
export function preparePositions(tables: TableNames) {
  // Sub-selects read the lists: a planner that knows their lengths plans each call.
  const all = statement<[lastSeq: number | null, epoch: string | null, rev: number | null, isBehind: boolean | null]>(
    "positions",
    `SELECT c.last_seq, c.epoch, c.rev, c.is_behind
    FROM unnest((SELECT $1::text[]), (SELECT $2::text[])) WITH ORDINALITY AS o(tenant, user_id, place)
    LEFT JOIN LATERAL (
      SELECT last_seq, epoch, rev, ${isBehind(tables, "o.tenant")} AS is_behind FROM ${tables.inboxCounters} WHERE tenant = o.tenant AND user_id = o.user_id OFFSET 0
    ) c ON true
    ORDER BY o.place`,
  );
  return (owners: readonly Owner[]) =>
    async (session: Session): Promise<readonly KnownPosition[]> => {
      const rows = await session.rows(all, lists(owners, "tenant", "userId"));
      return rows.map(([seq, epoch, rev, isBehindNow]) => {
        return { seq: seq ?? 0, epoch: epoch ?? EMPTY_EPOCH, rev: rev ?? 0, ...(isBehindNow ? { lacksBroadcasts: true } : {}) };
      });
    };
}
