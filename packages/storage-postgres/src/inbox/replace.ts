import type { CreatedItem, InboxItem, Notification } from "@belfry/core";
import { type AlsoChanged, FORGOTTEN_AT_ONCE, MAX_LOGGED_CHANGES } from "@belfry/core/storage";
import type { Grouped } from "@belfry/storage-sql";
import type { Session } from "../database/connection.ts";
import { lists, milliseconds, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { loggedChange } from "./change-log.ts";
import { settleGroups } from "./groups.ts";
import { addTo, COUNTS_WIDTH, type CountsRow, isBehind, toCounts } from "./inbox-state.ts";
import { ITEM_MARKS, type ItemRow, isMarkedSeen, isUnread, itemColumns, joinNotification, toItem } from "./item-row.ts";

/** An item that was just written, and what it is of. */
export interface NewItem {
  readonly item: CreatedItem;
  readonly notification: Grouped & Pick<Notification, "tenant" | "createdAt">;
}

/** New items of one group, or of one key, in one inbox, oldest first. */
export interface Together {
  readonly tenant: string;
  readonly userId: string;
  readonly name: string;
  /** The number of the newest one. */
  readonly seq: number;
  readonly last: NewItem;
  readonly all: readonly NewItem[];
}

/** An item that was replaced: the place of those that replaced it, the counts after that, and the item as it was. */
type ReplacedRow = readonly [place: number, ...CountsRow, ...ItemRow];

/**
 * Removes the unread active items of keys that are older than new ones, of any number of inboxes that the transaction holds, in one
 * statement. All other items of a key give it up, so that none is looked at twice; one that is unread and active again gets it back.
 * Each inbox may be there once.
 */
export function prepareReplace(tables: TableNames) {
  const replace = statement<ReplacedRow>("replace", replaceText(tables, GIVEN));
  const replaceOne = statement<ReplacedRow>("replace_one", replaceText(tables, GIVEN_ONE));
  return async (session: Session, keys: readonly Together[]): Promise<ReadonlyMap<Together, AlsoChanged>> => {
    if (keys.length === 0) {
      return new Map();
    }
    const values = keys.map((key) => ({ ...key, at: key.last.notification.createdAt.toISOString() }));
    const [first, ...others] = values;
    const rows =
      first !== undefined && others.length === 0
        ? await session.rows(replaceOne, [first.tenant, first.userId, first.name, first.seq, first.at])
        : await session.rows(replace, lists(values, "tenant", "userId", "name", "seq", "at"));
    const changed = [...Map.groupBy(rows, ([place]) => place)].flatMap(([place, own]) => {
      const key = keys[place - 1];
      return key === undefined ? [] : [[key, changeOf(key, own)] as const];
    });
    return new Map(changed);
  };
}

function changeOf({ tenant, userId }: Together, rows: readonly ReplacedRow[]): AlsoChanged {
  const items = rows.map((row): InboxItem => toItem(row.slice(1 + COUNTS_WIDTH) as unknown as ItemRow, { tenant, userId }));
  const counts = toCounts(rows[0]?.slice(1) as CountsRow | undefined);
  return { change: "deleted", items, changed: new Set(items.map(({ seq }) => seq)), counts };
}

/** The tenant, the user and the key of new items, their highest number, and their time. */
const GIVEN =
  "unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[]) WITH ORDINALITY AS k(tenant, user_id, name, seq, at, place)";
/** The same of one key. PostgreSQL would plan the statement anew each time for a list, which takes longer than to run it. */
const GIVEN_ONE = "(SELECT $1::text, $2::text, $3::text, $4::bigint, $5::timestamptz, 1) AS k(tenant, user_id, name, seq, at, place)";

/** @param given the values of the statement, as rows `k` */
function replaceText(tables: TableNames, given: string): string {
  const { inboxChanges, inboxCounters, inboxItems } = tables;
  const owner = "tenant = k.tenant AND user_id = k.user_id";
  const gone = "SELECT f.seq FROM found f WHERE f.is_replaced AND f.tenant = g.tenant AND f.user_id = g.user_id";
  const sums = `SELECT tenant, user_id, group_name, 0 AS seq, -count(*) AS total, -count(*) AS unread
    FROM found WHERE is_replaced AND group_name IS NOT NULL GROUP BY tenant, user_id, group_name`;
  const change = {
    ...({ kind: "deleted", owner: "inbox.tenant, inbox.user_id", from: "inbox JOIN tally USING (place)" } as const),
    ...{ seqs: "tally.seqs", at: "(SELECT k.at FROM inbox k WHERE k.tenant = noted.tenant AND k.user_id = noted.user_id)" },
  };
  return `WITH inbox AS MATERIALIZED (
    SELECT k.place::int, k.tenant COLLATE "C" AS tenant, k.user_id COLLATE "C" AS user_id, k.name COLLATE "C" AS name, k.seq, k.at, c.*
    FROM ${given}
    CROSS JOIN LATERAL (
      SELECT last_seq, total, unread, epoch, rev, read_up_to_seq, read_rev, reopened_from_seq, seen_up_to_seq, seen_rev, seen_unread, due_at,
        ${isBehind(tables, "k.tenant")} AS is_behind
      FROM ${inboxCounters} WHERE ${owner} OFFSET 0
    ) c
  ),
  found AS MATERIALIZED (
    SELECT inbox.place, inbox.tenant, inbox.user_id, inbox.at, i.*, i.deleted_at IS NULL AND ${isUnread("inbox")} AS is_replaced,
      ${isMarkedSeen("inbox")} AS is_marked_seen
    FROM inbox CROSS JOIN LATERAL (
      SELECT seq, type, created_at, read_at, unread_rev, notification_pk, group_name, deleted_at, ${ITEM_MARKS} FROM ${inboxItems}
      WHERE tenant = inbox.tenant AND user_id = inbox.user_id AND replace_key = inbox.name AND seq < inbox.seq OFFSET 0
    ) i
  ),
  taken AS (
    UPDATE ${inboxItems} item SET replace_key = NULL, deleted_at = CASE WHEN f.is_replaced THEN f.at ELSE item.deleted_at END,
      expires_at = CASE WHEN f.is_replaced THEN NULL ELSE item.expires_at END
    FROM found f WHERE item.tenant = f.tenant AND item.user_id = f.user_id AND item.seq = f.seq
  ),
  ${settleGroups(tables, { sums, gone })},
  tally AS MATERIALIZED (
    SELECT place, count(*) AS replaced, count(*) FILTER (WHERE is_marked_seen) AS seen_unread, array_agg(seq) AS seqs
    FROM found WHERE is_replaced GROUP BY place
  ),
  counted AS (
    UPDATE ${inboxCounters} c SET total = c.total - tally.replaced, unread = c.unread - tally.replaced, rev = c.rev + 1,
      ${addTo("seen_unread", "-tally.seen_unread")}
    FROM inbox JOIN tally USING (place) WHERE c.tenant = inbox.tenant AND c.user_id = inbox.user_id
  ),
  ${loggedChange(tables, change)},
  pruned AS (
    DELETE FROM ${inboxChanges} l USING noted
    WHERE noted.rev % ${FORGOTTEN_AT_ONCE} = 0 AND l.tenant = noted.tenant AND l.user_id = noted.user_id
      AND l.rev <= noted.rev - ${MAX_LOGGED_CHANGES - FORGOTTEN_AT_ONCE}
  )
  SELECT i.place, inbox.last_seq, inbox.total - tally.replaced, inbox.unread - tally.replaced, inbox.epoch, inbox.rev + 1,
    coalesce(inbox.seen_unread, 0) - tally.seen_unread, ${milliseconds("inbox.due_at")}, inbox.is_behind,
    ${itemColumns("NULL::timestamptz", { isMarkedSeen: "i.is_marked_seen" })}
  FROM found i JOIN inbox USING (place) JOIN tally USING (place) ${joinNotification(tables)}
  WHERE i.is_replaced ORDER BY i.place, i.seq`;
}
