import type { Owner } from "@belfry/core";
import type { ErasureStep, ExportedItem, ExportStep, InboxRetention, StepRange, SweepStep, SweptBefore } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/statement.ts";
import { inboxCounters, inboxItems, notifications, readMarks } from "../schema.ts";
import { IS_READ_BESIDE_COUNTERS, joinValue, OWN_COUNTERS } from "./conditions.ts";
import { prepareLeaveFanOuts } from "./fan-outs.ts";
import { prepareInboxState } from "./inbox-state.ts";
import { DELETED_AT, ITEM_COLUMNS, type ItemRow, prepareReadTimes, toItem } from "./item-row.ts";
import { DROPPED_COLUMNS, type DroppedItem, prepareDropItems } from "./remove.ts";

type Some = Owner & { readonly limit: number };

/** Removes some of an inbox: what is still to come first, the counts last. */
export function prepareErase(context: QueryContext) {
  const { builder, prepare, prepareRows } = context;
  const leaveFanOuts = prepareLeaveFanOuts(context);
  const dropItems = prepareDropItems(context);
  const oldest = prepareRows<Some, DroppedItem>(sql`
    select ${DROPPED_COLUMNS}
    from ${inboxCounters} cross join ${inboxItems} on ${inboxItems.tenant} = ${inboxCounters.tenant} and ${inboxItems.userId} = ${inboxCounters.userId}
    where ${inboxCounters.tenant} = ${joinValue("tenant")} and ${inboxCounters.userId} = ${joinValue("userId")}
    order by ${inboxItems.seq} limit ${sql.placeholder("limit")}`);
  const ownMarks = sql`${readMarks.tenant} = ${sql.placeholder("tenant")} and ${readMarks.userId} = ${sql.placeholder("userId")}`;
  const dropMarks = prepare<Some>(sql`
    delete from ${readMarks} where ${ownMarks} and (${readMarks.upToSeq}, ${readMarks.rev}) in (
      select ${readMarks.upToSeq}, ${readMarks.rev} from ${readMarks} where ${ownMarks} limit ${sql.placeholder("limit")})`);
  const dropCounters = prepare<Owner>(builder.delete(inboxCounters).where(OWN_COUNTERS));
  return (owner: Owner, limit: number): ErasureStep => {
    let left = limit - leaveFanOuts(owner, limit);
    left -= dropItems(owner, oldest.all({ ...owner, limit: left }));
    left -= dropMarks.run({ ...owner, limit: left }).changes;
    if (left > 0) {
      left -= dropCounters.run(owner).changes;
    }
    return { removed: limit - left, isDone: left > 0 };
  };
}

/** Reads the items of an inbox, oldest first, deleted ones too. */
export function prepareExport(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const readTimes = prepareReadTimes(context);
  const page = context.prepareRows<Owner & { readonly seq: number; readonly limit: number }, ItemRow>(sql`
    select ${ITEM_COLUMNS}
    from ${inboxItems} cross join ${notifications} on ${notifications.pk} = ${inboxItems.notificationPk}
    where ${inboxItems.tenant} = ${joinValue("tenant")} and ${inboxItems.userId} = ${joinValue("userId")} and ${inboxItems.seq} > ${joinValue("seq")}
    order by ${inboxItems.seq} limit ${sql.placeholder("limit")}`);
  return (owner: Owner, { after, limit }: StepRange): ExportStep<ExportedItem> => {
    const readTime = readTimes(owner, inboxState(owner));
    const records = page.all({ ...owner, seq: Number(after ?? 0), limit }).map((row): ExportedItem => {
      const deletedAt = row[DELETED_AT];
      return { ...toItem(row, owner, readTime), deletedAt: deletedAt === null ? null : new Date(deletedAt) };
    });
    const last = records.length < limit ? undefined : records.at(-1);
    return { records, next: last === undefined ? null : String(last.seq) };
  };
}

type Key = readonly [tenant: string, userId: string, seq: number];

type LookedAt = readonly [tenant: string, userId: string, isOver: number, ...DroppedItem];

/** Looks at items of all inboxes in the order of their keys, and removes those whose time is over. */
export function prepareSweep(context: QueryContext) {
  const dropItems = prepareDropItems(context);
  const before = (name: "readBefore" | "unreadBefore") => sql`coalesce(
    (select json_extract(t.value, ${sql.raw(`'$.${name}'`)}) from json_each(${joinValue("types")}) t where t.key = ${notifications.type}), ${joinValue(name)})`;
  const isOver = sql`(${inboxItems.seq} < ${inboxCounters.lastSeq} and ${inboxItems.createdAt} < case
    when ${inboxItems.deletedAt} is not null or ${IS_READ_BESIDE_COUNTERS} then ${before("readBefore")} else ${before("unreadBefore")} end)`;
  const lookAt = context.prepareRows<SweepValues, LookedAt>(sql`
    select ${inboxItems.tenant}, ${inboxItems.userId}, ${isOver}, ${DROPPED_COLUMNS}
    from ${inboxItems} cross join ${inboxCounters} on ${inboxCounters.tenant} = ${inboxItems.tenant} and ${inboxCounters.userId} = ${inboxItems.userId}
    cross join ${notifications} on ${notifications.pk} = ${inboxItems.notificationPk}
    where (${inboxItems.tenant}, ${inboxItems.userId}, ${inboxItems.seq}) > (${joinValue("tenant")}, ${joinValue("userId")}, ${joinValue("seq")})
    order by ${inboxItems.tenant}, ${inboxItems.userId}, ${inboxItems.seq} limit ${sql.placeholder("limit")}`);
  return (kept: InboxRetention, { after, limit }: StepRange): SweepStep => {
    const [tenant, userId, seq] = after === null ? (["", "", 0] as const) : (JSON.parse(after) as Key);
    const rows = lookAt.all({ tenant, userId, seq, ...times(kept), types: JSON.stringify(typeTimes(kept)), limit });
    let removed = 0;
    for (const [owner, items] of byOwner(rows)) {
      removed += dropItems(owner, items);
    }
    const last = rows.length < limit ? undefined : rows.at(-1);
    return { removed, next: last === undefined ? null : JSON.stringify([last[0], last[1], last[3]] satisfies Key) };
  };
}

type SweptBeforeMs = { readonly [Limit in keyof SweptBefore]: number };

type SweepValues = Owner & SweptBeforeMs & { readonly seq: number; readonly types: string; readonly limit: number };

function times({ readBefore, unreadBefore }: SweptBefore): SweptBeforeMs {
  return { readBefore: readBefore.getTime(), unreadBefore: unreadBefore.getTime() };
}

function typeTimes({ types }: InboxRetention): Readonly<Record<string, SweptBeforeMs>> {
  return Object.fromEntries(Object.entries(types).map(([type, limits]) => [type, times(limits)]));
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
