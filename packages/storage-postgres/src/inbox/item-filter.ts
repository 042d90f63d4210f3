import type { ItemFilter } from "@belfry/core/storage";
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

/** Those of the conditions for which there is an index of the few items that meet them. */
export function fewOf(conditions: string | null): string {
  const [isOfGroup = ""] = / AND i\.group_name = \$\d+/.exec(conditions ?? "") ?? [];
  return [IS_PINNED, WAS_SNOOZED, isOfGroup].filter((condition) => conditions?.includes(condition)).join("");
}
