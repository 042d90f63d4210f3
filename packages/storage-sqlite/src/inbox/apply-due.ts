import type { Owner } from "@belfry/core";
import type { DueChange, ItemPlace } from "@belfry/core/storage";
import type { QueryContext } from "../database/statement.ts";
import { OWN } from "./conditions.ts";
import { EXPIRING, prepareCounts, prepareSettleDue } from "./inbox-state.ts";
import { prepareMark } from "./mark.ts";

/** How many items are woken, or taken out, at a time. */
const AT_ONCE = 1_000;
const ANYWHERE: readonly ItemPlace[] = ["active", "archived", "snoozed"];

type AtTime = Owner & { readonly at: Date };

/**
 * Does what the clock has made due in an inbox: takes the items of expired notifications out, then wakes the snoozed items whose time,
 * or that of their group, has come.
 */
export function prepareApplyDue(context: QueryContext) {
  const mark = prepareMark(context);
  const settleDue = prepareSettleDue(context);
  const counts = prepareCounts(context);
  const findExpired = context.prepareRows<AtTime, readonly [seq: number]>(`SELECT seq ${EXPIRING} AND expires_at <= :at LIMIT ${AT_ONCE}`);
  const findDue = prepareFindDue(context);
  const settleGroups = context.prepare<AtTime>(`
    UPDATE belfry_inbox_groups AS g INDEXED BY belfry_inbox_groups_due SET due_at = NULL WHERE ${OWN} AND due_at IS NOT NULL AND due_at <= :at
      AND NOT EXISTS (SELECT 1 FROM belfry_inbox_items i INDEXED BY belfry_inbox_items_snoozed_group
        WHERE i.tenant = g.tenant AND i.user_id = g.user_id AND i.group_name = g.group_name AND i.snoozed_until IS NOT NULL)`);
  return (owner: Owner, at: Date): DueChange => {
    const gone = findExpired.all({ ...owner, at }).map(([seq]) => ({ seq }));
    const expired = mark(
      owner,
      gone.toSorted((one, other) => one.seq - other.seq),
      { mark: "expired", at, places: ANYWHERE },
    );
    const woken = mark(owner, findDue({ ...owner, at }), { mark: "woken", at });
    settleGroups.run({ ...owner, at });
    settleDue(owner);
    return { expired, woken, counts: counts(owner) };
  };
}

/** Finds the snoozed items to wake, by their own time or that of their group. */
function prepareFindDue({ prepareRows }: QueryContext) {
  const due = prepareRows<AtTime, readonly [seq: number]>(`
    SELECT seq FROM belfry_inbox_items INDEXED BY belfry_inbox_items_snoozed
    WHERE ${OWN} AND snoozed_until IS NOT NULL AND snoozed_until <= :at ORDER BY seq LIMIT ${AT_ONCE}`);
  const ofGroups = prepareRows<AtTime, readonly [seq: number]>(`
    SELECT i.seq FROM belfry_inbox_groups g INDEXED BY belfry_inbox_groups_due
    CROSS JOIN belfry_inbox_items i INDEXED BY belfry_inbox_items_snoozed_group
    WHERE g.tenant = :tenant AND g.user_id = :userId AND g.due_at IS NOT NULL AND g.due_at <= :at
      AND i.tenant = :tenant AND i.user_id = :userId AND i.group_name = g.group_name AND i.snoozed_until IS NOT NULL LIMIT ${AT_ONCE}`);
  return (values: AtTime): readonly { readonly seq: number }[] => {
    const seqs = new Set([...due.all(values), ...ofGroups.all(values)].map(([seq]) => seq));
    return [...seqs]
      .toSorted((one, other) => one - other)
      .slice(0, AT_ONCE)
      .map((seq) => ({ seq }));
  };
}
