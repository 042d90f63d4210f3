import type { Owner } from "@belfry/core";
import type { QueryContext } from "../database/statement.ts";
import { IS_ACTIVE_BESIDE_COUNTERS, IS_READ_BESIDE_COUNTERS, IS_SEEN_BESIDE_COUNTERS, OWN_ITEM } from "./conditions.ts";
import { prepareDropGroups, prepareSettleGroups } from "./groups.ts";
import { prepareAddToCounts, prepareInboxState } from "./inbox-state.ts";

/** An item to be removed for good; flags are 0 or 1. An archived or snoozed item is away. */
export type DroppedItem = readonly [
  seq: number,
  notificationPk: number,
  isShown: number,
  isAway: number,
  isUnread: number,
  isSeen: number,
  group: string | null,
];

/** The columns of a {@link DroppedItem}, over the item `i` and its inbox's counters `c`. */
export const DROPPED_COLUMNS = `i.seq, i.notification_pk, ${IS_ACTIVE_BESIDE_COUNTERS}, (i.archived_at IS NOT NULL OR i.snoozed_until IS NOT NULL),
  NOT ${IS_READ_BESIDE_COUNTERS}, ${IS_SEEN_BESIDE_COUNTERS}, i.group_name`;

/** Removes a notification if nothing refers to it any more. */
export function prepareDropNotification({ prepare }: QueryContext) {
  const references = ["inbox_items", "trackings", "events", "fan_outs", "fan_out_chunks", "broadcasts"];
  const isUnused = references.map((table) => `NOT EXISTS (SELECT 1 FROM belfry_${table} WHERE notification_pk = n.pk)`);
  const isFound = "NOT EXISTS (SELECT 1 FROM belfry_audiences WHERE notification_pk = n.pk AND source IS NOT NULL)";
  const dropRows = ["audiences", "ended_broadcasts", "item_updates"].map((table) =>
    prepare<{ readonly pk: number }>(`DELETE FROM belfry_${table} WHERE notification_pk = :pk`),
  );
  const drop = prepare<{ readonly tenant: string; readonly pk: number }>(
    `DELETE FROM belfry_notifications AS n WHERE pk = :pk AND tenant = :tenant AND ${[...isUnused, isFound].join(" AND ")}`,
  );
  return (tenant: string, pk: number): void => {
    if (drop.run({ tenant, pk }).changes > 0) {
      // A host's connection may not enforce foreign keys.
      for (const dropOwn of dropRows) {
        dropOwn.run({ pk });
      }
    }
  };
}

/**
 * Removes items of one inbox for good, each with its notification if nothing else refers to it, and lowers the counts. It logs
 * that as a change made at `at`; null for none, where the inbox itself goes.
 */
export function prepareDropItems(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const addToCounts = prepareAddToCounts(context);
  const dropItem = context.prepare<Owner & { readonly seq: number }>(`DELETE FROM belfry_inbox_items WHERE ${OWN_ITEM}`);
  const dropNotification = prepareDropNotification(context);
  const settleGroups = prepareSettleGroups(context);
  const dropGroups = prepareDropGroups(context);
  return (owner: Owner, items: readonly DroppedItem[], at: Date | null): number => {
    const added = { total: 0, unread: 0, seenUnread: 0, awayUnread: 0, awaySeenUnread: 0 };
    const seqs: number[] = [];
    for (const [seq, pk, isShown, isAway, isUnread, isSeen] of items) {
      dropItem.run({ ...owner, seq });
      dropNotification(owner.tenant, pk);
      if (isShown || isAway) {
        seqs.push(seq);
      }
      added.total -= isShown;
      added.unread -= isShown * isUnread;
      added.seenUnread -= isShown * isUnread * isSeen;
      added.awayUnread -= isAway * isUnread;
      added.awaySeenUnread -= isAway * isUnread * isSeen;
    }
    const change = at === null ? ("erased" as const) : { kind: "deleted" as const, at, seqs };
    const state = inboxState(owner);
    const grouped = items.map(([, , isShown, , isUnread, , group]) => ({ group, total: -isShown, unread: -isShown * isUnread }));
    settleGroups(owner, state.readRev, grouped);
    dropGroups(owner, grouped);
    addToCounts(owner, state.counts, { change: seqs.length > 0 ? change : null, ...added });
    return items.length;
  };
}
