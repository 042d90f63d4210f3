import type { Owner } from "@belfry/core";
import type { AlsoChanged } from "@belfry/core/storage";
import { firstActors, type Grouped, WOKEN_AT_ONCE } from "@belfry/storage-sql";
import type { QueryContext } from "../database/statement.ts";
import { IS_UNREAD, OWN, OWN_ITEM } from "./conditions.ts";
import { type GroupValues, UNREAD } from "./groups.ts";
import { prepareInboxState, prepareNoteDue, type ReadState } from "./inbox-state.ts";
import { prepareMark, prepareRemove } from "./mark.ts";

/** Adds new items to their groups, and removes those that they replace. It answers what else they changed. */
export function prepareSettleCreated(context: QueryContext) {
  const { prepare } = context;
  const addToGroup = prepareAddToGroup(context);
  const replace = prepareReplace(context);
  const label = prepare<Owner & Grouped & { readonly seq: number }>(
    `UPDATE belfry_inbox_items SET group_name = :group, replace_key = :replaceKey WHERE ${OWN_ITEM}`,
  );
  return (owner: Owner, { seq, at }: NewItem, grouped: Grouped): readonly AlsoChanged[] => {
    label.run({ ...owner, ...grouped, seq });
    const { group, replaceKey, actor } = grouped;
    const woken = group === null ? null : addToGroup({ ...owner, group }, { seq, at, actor });
    const deleted = replaceKey === null ? null : replace(owner, replaceKey, { seq, at });
    return [woken, deleted].filter((change) => change !== null);
  };
}

interface NewItem {
  readonly seq: number;
  readonly at: Date;
}

/** Counts a new item in its group, and wakes the group's snoozed items if it had no active one. */
function prepareAddToGroup(context: QueryContext) {
  const { prepare, prepareRows } = context;
  const inboxState = prepareInboxState(context);
  const mark = prepareMark(context);
  const find = prepare<GroupValues, { readonly total: number; readonly actors: string }>(
    `SELECT total, actors FROM belfry_inbox_groups WHERE ${OWN} AND group_name = :group`,
  );
  const count = prepare<
    GroupValues & { readonly seq: number; readonly unread: number; readonly readRev: number; readonly actors: string }
  >(`
    INSERT INTO belfry_inbox_groups (tenant, user_id, group_name, newest_seq, total, unread, read_rev, actors)
    VALUES (:tenant, :userId, :group, :seq, 1, 1, :readRev, :actors)
    ON CONFLICT (tenant, user_id, group_name) DO UPDATE SET newest_seq = :seq, total = total + 1, unread = ${UNREAD}, read_rev = :readRev, actors = :actors`);
  // The newest ones wake at once.
  const snoozed = prepareRows<GroupValues, readonly [seq: number]>(`
    SELECT seq FROM belfry_inbox_items INDEXED BY belfry_inbox_items_snoozed_group
    WHERE ${OWN} AND snoozed_until IS NOT NULL AND group_name = :group ORDER BY seq DESC LIMIT ${WOKEN_AT_ONCE + 1}`);
  const wakeLater = prepare<GroupValues & { readonly at: Date }>(
    `UPDATE belfry_inbox_groups SET due_at = :at WHERE ${OWN} AND group_name = :group`,
  );
  const noteDue = prepareNoteDue(context);
  return (values: GroupValues, { seq, at, actor }: NewItem & Pick<Grouped, "actor">): AlsoChanged | null => {
    const found = find.get(values);
    const actors = firstActors(found === undefined ? [] : (JSON.parse(found.actors) as readonly string[]), [actor]);
    count.run({ ...values, seq, unread: 1, readRev: inboxState(values).readRev, actors: JSON.stringify(actors) });
    const seqs = found === undefined || found.total > 0 ? [] : snoozed.all(values).map(([one]) => one);
    if (seqs.length === 0) {
      return null;
    }
    const refs = seqs
      .slice(0, WOKEN_AT_ONCE)
      .toReversed()
      .map((one) => ({ seq: one }));
    const woken = mark(values, refs, { mark: "woken", at });
    if (seqs.length > WOKEN_AT_ONCE) {
      wakeLater.run({ ...values, at });
      noteDue(values, at);
    }
    return { ...woken, change: "woken" };
  };
}

/** Removes the unread active items of a key that are older than a new one. Those that can never come back give the key up. */
function prepareReplace(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const remove = prepareRemove(context);
  const isGone = "(i.deleted_at IS NOT NULL AND i.archived_at IS NULL AND i.snoozed_until IS NULL)";
  const take = context.prepareRows<
    Owner & Pick<ReadState, "readUpToSeq" | "readRev"> & { readonly key: string; readonly seq: number; readonly unreadAfterSeq: number },
    readonly [seq: number, isActive: number]
  >(`
    UPDATE belfry_inbox_items AS i SET replace_key = NULL WHERE ${OWN} AND replace_key = :key AND seq < :seq
      AND (${isGone} OR (i.deleted_at IS NULL AND ${IS_UNREAD})) RETURNING seq, deleted_at IS NULL`);
  return (owner: Owner, key: string, { seq, at }: NewItem): AlsoChanged | null => {
    const { readUpToSeq, readRev, unreadAfterSeq } = inboxState(owner);
    const taken = take.all({ ...owner, key, seq, readUpToSeq, readRev, unreadAfterSeq });
    const refs = taken.filter(([, isActive]) => isActive === 1).map(([one]) => ({ seq: one }));
    return refs.length === 0 ? null : { ...remove(owner, refs, at), change: "deleted" };
  };
}
