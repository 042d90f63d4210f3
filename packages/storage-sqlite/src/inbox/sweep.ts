import type { Owner } from "@belfry/core";
import type { StepRange, SweepStep } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { inboxCounters, inboxItems } from "../schema.ts";
import { IS_READ_BESIDE_COUNTERS, joinValue } from "./conditions.ts";
import { DROPPED_COLUMNS, type DroppedItem, prepareDropItems } from "./drop-items.ts";

type Key = readonly [tenant: string, userId: string, seq: number];

type LookedAt = readonly [tenant: string, userId: string, isOver: number, ...DroppedItem];

/** Looks at items of all inboxes in the order of their keys, and removes those whose time is over. */
export function prepareSweep(context: QueryContext) {
  const dropItems = prepareDropItems(context);
  const isOver = sql`(${inboxItems.createdAt} < ${joinValue("before")} and ${inboxItems.seq} < ${inboxCounters.lastSeq}
    and (${inboxItems.deletedAt} is not null or ${IS_READ_BESIDE_COUNTERS}))`;
  const lookAt = context.prepareRows<Owner & { readonly seq: number; readonly before: number; readonly limit: number }, LookedAt>(sql`
    select ${inboxItems.tenant}, ${inboxItems.userId}, ${isOver}, ${DROPPED_COLUMNS}
    from ${inboxItems} cross join ${inboxCounters} on ${inboxCounters.tenant} = ${inboxItems.tenant} and ${inboxCounters.userId} = ${inboxItems.userId}
    where (${inboxItems.tenant}, ${inboxItems.userId}, ${inboxItems.seq}) > (${joinValue("tenant")}, ${joinValue("userId")}, ${joinValue("seq")})
    order by ${inboxItems.tenant}, ${inboxItems.userId}, ${inboxItems.seq} limit ${sql.placeholder("limit")}`);
  return (before: Date, { after, limit }: StepRange): SweepStep => {
    const [tenant, userId, seq] = after === null ? (["", "", 0] as const) : (JSON.parse(after) as Key);
    const rows = lookAt.all({ tenant, userId, seq, before: before.getTime(), limit });
    let removed = 0;
    for (const [owner, items] of byOwner(rows)) {
      removed += dropItems(owner, items);
    }
    const last = rows.length < limit ? undefined : rows.at(-1);
    return { removed, next: last === undefined ? null : JSON.stringify([last[0], last[1], last[3]] satisfies Key) };
  };
}

/** The items whose time is over, by inbox. Rows of one inbox follow each other. */
function byOwner(rows: readonly LookedAt[]): readonly (readonly [Owner, readonly DroppedItem[]])[] {
  const inboxes: (readonly [Owner, DroppedItem[]])[] = [];
  for (const [tenant, userId, isOver, ...item] of rows) {
    if (isOver === 0) {
      continue;
    }
    const current = inboxes.at(-1);
    if (current !== undefined && current[0].tenant === tenant && current[0].userId === userId) {
      current[1].push(item);
    } else {
      inboxes.push([{ tenant, userId }, [item]]);
    }
  }
  return inboxes;
}
