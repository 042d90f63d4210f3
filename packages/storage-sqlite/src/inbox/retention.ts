import type { Owner } from "@belfry/core";
import type { ErasureStep, ExportedItem, ExportStep, InboxRetention, StepRange, SweepStep, SweptBefore } from "@belfry/core/storage";
import type { QueryContext } from "../database/statement.ts";
import { IS_READ_BESIDE_COUNTERS, JOIN_COUNTERS, OWN } from "./conditions.ts";
import { prepareLeaveFanOuts } from "./fan-outs.ts";
import { prepareInboxState } from "./inbox-state.ts";
import { DELETED_AT, type ItemRow, prepareReadTimes, SELECT_OWN_ITEMS, toItem } from "./item-row.ts";
import { DROPPED_COLUMNS, type DroppedItem, prepareDropItems } from "./remove.ts";

type Some = Owner & { readonly limit: number };

/** Removes a part of an inbox: items still to come first, the counts last. */
export function prepareErase(context: QueryContext) {
  const { prepare, prepareRows } = context;
  const leaveFanOuts = prepareLeaveFanOuts(context);
  const dropItems = prepareDropItems(context);
  const oldest = prepareRows<Some, DroppedItem>(`
    SELECT ${DROPPED_COLUMNS} FROM belfry_inbox_counters c CROSS JOIN belfry_inbox_items i ON i.tenant = c.tenant AND i.user_id = c.user_id
    WHERE c.tenant = (SELECT :tenant) AND c.user_id = (SELECT :userId) ORDER BY i.seq LIMIT :limit`);
  const dropMarks = prepare<Some>(`
    DELETE FROM belfry_read_marks WHERE ${OWN} AND (up_to_seq, rev) IN (SELECT up_to_seq, rev FROM belfry_read_marks WHERE ${OWN} LIMIT :limit)`);
  const dropCounters = prepare<Owner>(`DELETE FROM belfry_inbox_counters WHERE ${OWN}`);
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
  const page = context.prepareRows<Owner & { readonly seq: number; readonly limit: number }, ItemRow>(
    `${SELECT_OWN_ITEMS} AND i.seq > (SELECT :seq) ORDER BY i.seq LIMIT :limit`,
  );
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
  const before = (name: keyof SweptBefore) =>
    `coalesce((SELECT json_extract(t.value, '$.${name}') FROM json_each((SELECT :types)) t WHERE t.key = n.type), (SELECT :${name}))`;
  const isOver = `(i.seq < c.last_seq AND i.created_at < CASE
    WHEN i.deleted_at IS NOT NULL OR ${IS_READ_BESIDE_COUNTERS} THEN ${before("readBefore")} ELSE ${before("unreadBefore")} END)`;
  const lookAt = context.prepareRows<SweepValues, LookedAt>(`
    SELECT i.tenant, i.user_id, ${isOver}, ${DROPPED_COLUMNS}
    FROM belfry_inbox_items i ${JOIN_COUNTERS} CROSS JOIN belfry_notifications n ON n.pk = i.notification_pk
    WHERE (i.tenant, i.user_id, i.seq) > ((SELECT :tenant), (SELECT :userId), (SELECT :seq))
    ORDER BY i.tenant, i.user_id, i.seq LIMIT :limit`);
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
