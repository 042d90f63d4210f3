import type { ItemFilter, ReadMoment } from "@belfry/core/storage";
import { plannedAnew, type Statement, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { isMarkedSeen, isRead, isUnread } from "./item-row.ts";

/** The item `i` of the inbox whose state is `inbox` is seen. */
export const IS_SEEN = `(${isRead("inbox")} OR ${isMarkedSeen("inbox")})`;

const IS_PINNED = " AND i.pinned_at IS NOT NULL";
const WAS_SNOOZED = " AND i.woken_at IS NOT NULL";

/** The priority of the item `i`, which its notification has. */
export function priorityOf({ notifications }: TableNames): string {
  return `(SELECT n.priority FROM ${notifications} n WHERE n.pk = i.notification_pk)`;
}

/**
 * Makes a statement over the items of an inbox.
 *
 * @param looksUp whether it looks up the notification of each item that it looks at
 */
export function itemsStatement<Row extends readonly unknown[]>(operation: string, text: string, looksUp: boolean): Statement<Row> {
  return looksUp ? plannedAnew(text) : statement(operation, text);
}

/**
 * The conditions of a filter on the item `i` of the inbox whose state is `inbox`, as SQL to append to others.
 *
 * @param values those of the statement, to which it adds its own
 */
export function filterText(tables: TableNames, filter: ItemFilter, values: unknown[]): string {
  const { types, categories, priorities, isRead: read, isSeen, isPinned, wasSnoozed, group } = filter;
  const isIn = (list: readonly string[]) => `= ANY ($${values.push(list)}::text[])`;
  const conditions = [
    types && ` AND i.type ${isIn(types)}`,
    categories && ` AND (i.category ${isIn(categories.names)} OR (i.category IS NULL AND i.type ${isIn(categories.types)}))`,
    priorities && ` AND ${priorityOf(tables)} ${isIn(priorities)}`,
    read === undefined ? "" : ` AND ${read ? isRead("inbox") : isUnread("inbox")}`,
    isSeen === undefined ? "" : ` AND ${isSeen ? "" : "NOT "}${IS_SEEN}`,
    isPinned === false ? " AND i.pinned_at IS NULL" : isPinned && IS_PINNED,
    wasSnoozed && WAS_SNOOZED,
    group === undefined ? "" : ` AND i.group_name = $${values.push(group)}`,
  ];
  return conditions.map((condition) => condition ?? "").join("");
}

/**
 * The conditions of a filter that the item `i` has to have met at a moment, too, as SQL to append to others: see `MatchingStep.asOf`.
 *
 * @param values those of the statement, to which it adds its own
 */
export function filterTextAsOf({ isRead: read, isSeen }: ItemFilter, moment: ReadMoment | undefined, values: unknown[]): string {
  if (moment === undefined) {
    return "";
  }
  const { epoch, rev, readUpToSeq, readRev, seenUpToSeq, seenRev } = moment;
  const numbers = [rev, readUpToSeq, readRev, seenUpToSeq, seenRev].map((number) => `$${values.push(number)}::bigint`);
  // By its own mark, it became read or seen.
  const isNotMarkedSince = "coalesce(i.seen_mark, 0) <= as_of.rev";
  const conditions = [
    `inbox.epoch = $${values.push(epoch)}`,
    read === true && `${isNotMarkedSince} AND ${isRead("as_of")}`,
    read === false && "coalesce(i.unread_rev, 0) <= as_of.rev",
    isSeen === true && `${isNotMarkedSince} AND (${isRead("as_of")} OR ${isMarkedSeen("as_of")})`,
    isSeen === false && "-coalesce(i.seen_mark, 0) <= as_of.rev",
  ].filter((condition) => condition !== false);
  return ` AND EXISTS (SELECT FROM (VALUES (${numbers.join(", ")})) AS as_of(rev, read_up_to_seq, read_rev, seen_up_to_seq, seen_rev)
    WHERE ${conditions.join(" AND ")})`;
}

/** Those of the conditions for which there is an index of the few items that meet them. */
export function fewOf(conditions: string | null): string {
  const [isOfGroup = ""] = / AND i\.group_name = \$\d+/.exec(conditions ?? "") ?? [];
  return [IS_PINNED, WAS_SNOOZED, isOfGroup].filter((condition) => conditions?.includes(condition)).join("");
}
