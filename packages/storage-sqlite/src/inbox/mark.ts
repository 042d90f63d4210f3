import type { ItemRef, Owner } from "@belfry/core";
import type { ItemsChange, WholeInboxChange } from "@belfry/core/storage";
import type { QueryContext } from "../database/statement.ts";
import { OWN, OWN_ITEM } from "./conditions.ts";
import { prepareAddToCounts, prepareCounts } from "./inbox-state.ts";
import { prepareFindItems } from "./item-row.ts";

/** Marks unread items read. */
export function prepareMarkRead(context: QueryContext) {
  const findItems = prepareFindItems(context);
  const addToCounts = prepareAddToCounts(context);
  const setReadAt = context.prepare<Owner & { readonly seq: number; readonly at: Date }>(
    `UPDATE belfry_inbox_items SET read_at = :at WHERE ${OWN_ITEM}`,
  );
  return (owner: Owner, refs: readonly ItemRef[], at: Date): ItemsChange => {
    const { state, items } = findItems(owner, refs);
    const changed = new Set(items.filter(({ readAt }) => readAt === null).map(({ seq }) => seq));
    for (const seq of changed) {
      setReadAt.run({ ...owner, seq, at });
    }
    return {
      items: items.map((item) => (item.readAt === null ? { ...item, readAt: new Date(at) } : item)),
      changed,
      counts: addToCounts(owner, state.counts, { total: 0, unread: -changed.size }),
    };
  };
}

/** Marks items unread again, also those that a read mark covers. */
export function prepareMarkUnread(context: QueryContext) {
  const findItems = prepareFindItems(context);
  const setUnread = context.prepare<Owner & { readonly seq: number; readonly rev: number }>(
    `UPDATE belfry_inbox_items SET read_at = NULL, unread_rev = :rev WHERE ${OWN_ITEM}`,
  );
  const addToUnread = context.prepare<Owner & { readonly count: number; readonly fromSeq: number | null }>(`
    UPDATE belfry_inbox_counters SET unread = unread + :count, rev = rev + 1,
      reopened_from_seq = min(coalesce(reopened_from_seq, :fromSeq), coalesce(:fromSeq, reopened_from_seq)) WHERE ${OWN}`);
  return (owner: Owner, refs: readonly ItemRef[]): ItemsChange => {
    const { state, items } = findItems(owner, refs);
    const { counts, readUpToSeq } = state;
    const changed = new Set(items.filter(({ readAt }) => readAt !== null).map(({ seq }) => seq));
    for (const seq of changed) {
      setUnread.run({ ...owner, seq, rev: counts.rev + 1 });
    }
    if (changed.size > 0) {
      const covered = [...changed].filter((seq) => seq <= readUpToSeq);
      addToUnread.run({ ...owner, count: changed.size, fromSeq: covered.length > 0 ? Math.min(...covered) : null });
    }
    const after = { ...counts, unread: counts.unread + changed.size, rev: counts.rev + Number(changed.size > 0) };
    return { items: items.map((item) => ({ ...item, readAt: null })), changed, counts: after };
  };
}

/** Marks a whole inbox read by one mark, without changing any item. */
export function prepareMarkAllRead(context: QueryContext) {
  const counts = prepareCounts(context);
  const addMark = context.prepare<Owner & { readonly upToSeq: number; readonly at: Date; readonly rev: number }>(
    "INSERT INTO belfry_read_marks (tenant, user_id, up_to_seq, read_at, rev) VALUES (:tenant, :userId, :upToSeq, :at, :rev)",
  );
  const moveUp = context.prepare<Owner>(`
    UPDATE belfry_inbox_counters SET unread = 0, read_up_to_seq = last_seq, rev = rev + 1, read_rev = rev + 1, reopened_from_seq = NULL
    WHERE ${OWN}`);
  return (owner: Owner, at: Date): WholeInboxChange => {
    const before = counts(owner);
    if (before.unread === 0) {
      return { count: 0, counts: before };
    }
    const rev = before.rev + 1;
    addMark.run({ ...owner, upToSeq: before.lastSeq, at, rev });
    moveUp.run(owner);
    return { count: before.unread, counts: { ...before, unread: 0, rev } };
  };
}
