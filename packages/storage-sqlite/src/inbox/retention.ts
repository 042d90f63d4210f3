import type { Owner } from "@belfry/core";
import type { ErasureStep, ExportedItem, ExportStep, InboxRetention, StepRange, SweepStep, SweptBefore } from "@belfry/core/storage";
import { LOOKED_AT, newestBefore, sweepStep } from "@belfry/storage-sql";
import type { QueryContext } from "../database/statement.ts";
import { IS_READ_BESIDE_COUNTERS, JOIN_COUNTERS, OWN } from "./conditions.ts";
import { prepareLeaveFanOuts } from "./fan-outs.ts";
import { prepareInboxState } from "./inbox-state.ts";
import { ANY_ITEM_COLUMNS, type AnyItemRow, DELETED_AT, isAway, prepareReadTimes, SEQ, selectOwnItems, toItem } from "./item-row.ts";
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
  const dropChanges = prepare<Some>(`
    DELETE FROM belfry_inbox_changes WHERE ${OWN} AND rev IN (SELECT rev FROM belfry_inbox_changes WHERE ${OWN} LIMIT :limit)`);
  const dropGroups = prepare<Owner>(`DELETE FROM belfry_inbox_groups WHERE ${OWN}`);
  const dropCounters = prepare<Owner>(`DELETE FROM belfry_inbox_counters WHERE ${OWN}`);
  return (owner: Owner, limit: number): ErasureStep => {
    let left = limit - leaveFanOuts(owner, limit);
    left -= dropItems(owner, oldest.all({ ...owner, limit: left }), null);
    left -= dropMarks.run({ ...owner, limit: left }).changes;
    left -= dropChanges.run({ ...owner, limit: left }).changes;
    if (left > 0) {
      // Usually none is left.
      dropGroups.run(owner);
      left -= dropCounters.run(owner).changes;
    }
    return { removed: limit - left, isDone: left > 0 };
  };
}

/** Reads the items of an inbox, oldest first, deleted ones too. */
export function prepareExport(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const readTimes = prepareReadTimes(context);
  const page = context.prepareRows<Owner & { readonly seq: number; readonly limit: number }, AnyItemRow>(
    `${selectOwnItems(ANY_ITEM_COLUMNS)} AND i.seq > +:seq ORDER BY i.seq LIMIT :limit`,
  );
  return (owner: Owner, { after, limit }: StepRange): ExportStep<ExportedItem> => {
    const state = inboxState(owner);
    const states = readTimes(owner, state);
    const records = page.all({ ...owner, seq: Number(after ?? 0), limit }).map((row): ExportedItem => {
      const deletedAt = row[DELETED_AT] ?? (row[SEQ] > state.removedUpToSeq ? null : state.removedAt);
      const item = toItem(row, owner, states);
      return { ...item, deletedAt: deletedAt === null || isAway(item) ? null : new Date(deletedAt) };
    });
    const last = records.length < limit ? undefined : records.at(-1);
    return { records, next: last === undefined ? null : String(last.seq) };
  };
}

type Key = readonly [notificationPk: number, userId: string];

type LookedAtItem = readonly [isOld: number, isOver: number, tenant: string, userId: string, ...DroppedItem];

/** Looks at items of all inboxes, those of older notifications first, and removes those whose time is over. */
export function prepareSweep(context: QueryContext) {
  const dropItems = prepareDropItems(context);
  const before = (name: keyof SweptBefore) =>
    `coalesce((SELECT json_extract(own.value, '$.${name}') FROM json_each((SELECT :types)) own WHERE own.key = i.type), (SELECT :${name}))`;
  const isOld = "i.created_at < (SELECT :newest)";
  const isOver = `(${isOld} AND i.seq < c.last_seq AND i.created_at < CASE
    WHEN i.deleted_at IS NOT NULL OR ${IS_READ_BESIDE_COUNTERS} THEN ${before("readBefore")} ELSE ${before("unreadBefore")} END)`;
  const lookAt = context.prepareRows<SweepValues, LookedAtItem>(`
    SELECT ${isOld}, ${isOver}, i.tenant, i.user_id, ${DROPPED_COLUMNS} FROM belfry_inbox_items i ${JOIN_COUNTERS}
    WHERE (i.notification_pk, i.user_id) > ((SELECT :notificationPk), (SELECT :userId))
    ORDER BY i.notification_pk, i.user_id LIMIT ${LOOKED_AT}`);
  return (kept: InboxRetention, range: StepRange): SweepStep => {
    const [notificationPk, userId] = range.after === null ? ([0, ""] as const) : (JSON.parse(range.after) as Key);
    const types = JSON.stringify(typeTimes(kept));
    const rows = lookAt.all({ notificationPk, userId, ...times(kept), types, newest: newestBefore(kept).getTime() });
    const { over, last } = sweepStep(rows, range);
    for (const [owner, items] of byOwner(over)) {
      dropItems(owner, items, kept.at);
    }
    return { removed: over.length, next: last === undefined ? null : JSON.stringify([last[5], last[3]] satisfies Key) };
  };
}

type SweptBeforeMs = { readonly [Limit in keyof SweptBefore]: number };

interface SweepValues extends SweptBeforeMs {
  readonly notificationPk: number;
  readonly userId: string;
  readonly types: string;
  readonly newest: number;
}

function times({ readBefore, unreadBefore }: SweptBefore): SweptBeforeMs {
  return { readBefore: readBefore.getTime(), unreadBefore: unreadBefore.getTime() };
}

function typeTimes({ types }: InboxRetention): Readonly<Record<string, SweptBeforeMs>> {
  return Object.fromEntries(Object.entries(types).map(([type, limits]) => [type, times(limits)]));
}

/** Items by inbox. */
function byOwner(rows: readonly LookedAtItem[]): readonly (readonly [Owner, readonly DroppedItem[]])[] {
  const inboxes = Map.groupBy(rows, ([, , tenant, userId]) => JSON.stringify([tenant, userId]));
  return [...inboxes.values()].map((own) => {
    const [[, , tenant, userId]] = own as [LookedAtItem];
    return [{ tenant, userId }, own.map(([, , , , ...item]) => item)];
  });
}
