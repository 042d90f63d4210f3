import type { Owner } from "@belfry/core";
import type { AlsoChanged } from "@belfry/core/storage";
import { firstActors, type Grouped, WOKEN_AT_ONCE } from "@belfry/storage-sql";
import type { QueryContext } from "../database/statement.ts";
import { IS_UNREAD, OWN } from "./conditions.ts";
import { type GroupValues, UNREAD } from "./groups.ts";
import { prepareInboxState, prepareNoteDue, type ReadState } from "./inbox-state.ts";
import { prepareMark, prepareRemove } from "./mark.ts";

/** Adds new items to their groups, and removes those that they replace. It answers what else they changed. */
export function prepareSettleCreated(context: QueryContext) {
  const addToGroup = prepareAddToGroup(context);
  const replace = prepareReplace(context);
  return (owner: Owner, { seq, at }: NewItem, grouped: Grouped): readonly AlsoChanged[] => {
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
  const mark = prepareMark(context);
  const find = prepareRows<GroupValues, readonly [readRev: number, total: number | null, actors: string | null]>(`
    SELECT c.read_rev, g.total, g.actors FROM belfry_inbox_counters c
    LEFT JOIN belfry_inbox_groups g ON g.tenant = c.tenant AND g.user_id = c.user_id AND g.group_name = :group
    WHERE c.tenant = :tenant AND c.user_id = :userId`);
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
    const [readRev = 0, total = null, before = null] = find.get(values) ?? [];
    const actors = firstActors(before === null ? [] : (JSON.parse(before) as readonly string[]), [actor]);
    count.run({ ...values, seq, unread: 1, readRev, actors: JSON.stringify(actors) });
    const seqs = total === null || total > 0 ? [] : snoozed.all(values).map(([one]) => one);
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

/**
 * Removes the unread active items of a key that are older than a new one. All others give the key up, so that no item is looked at
 * twice; one that is unread and active again gets it back.
 */
function prepareReplace(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const remove = prepareRemove(context);
  const older = "belfry_inbox_items AS i INDEXED BY belfry_inbox_items_replaceable";
  const ofKey = `${OWN} AND replace_key = :key AND seq < :seq`;
  type Values = Owner & { readonly key: string; readonly seq: number };
  const find = context.prepareRows<
    Values & Pick<ReadState, "readUpToSeq" | "readRev"> & { readonly unreadAfterSeq: number },
    readonly [seq: number, isReplaced: number]
  >(`SELECT seq, deleted_at IS NULL AND ${IS_UNREAD} FROM ${older} WHERE ${ofKey}`);
  const take = context.prepare<Values>(`UPDATE ${older} SET replace_key = NULL WHERE ${ofKey}`);
  return (owner: Owner, key: string, { seq, at }: NewItem): AlsoChanged | null => {
    const { readUpToSeq, readRev, unreadAfterSeq } = inboxState(owner);
    const values = { ...owner, key, seq };
    const found = find.all({ ...values, readUpToSeq, readRev, unreadAfterSeq });
    const refs = found.filter(([, isReplaced]) => isReplaced === 1).map(([one]) => ({ seq: one }));
    // Removing an item takes its key.
    if (refs.length < found.length) {
      take.run(values);
    }
    return refs.length === 0 ? null : { ...remove(owner, refs, at), change: "deleted" };
  };
}
