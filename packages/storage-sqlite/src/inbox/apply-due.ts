import type { Owner } from "@belfry/core";
import type { DueChange } from "@belfry/core/storage";
import type { QueryContext } from "../database/statement.ts";
import { OWN } from "./conditions.ts";
import { prepareCounts, prepareSettleDue } from "./inbox-state.ts";
import { prepareMark } from "./mark.ts";

/** How many items are woken at a time. */
const WOKEN_AT_ONCE = 1_000;

/** Does what the clock has made due in an inbox: wakes the snoozed items whose time has come. */
export function prepareApplyDue(context: QueryContext) {
  const mark = prepareMark(context);
  const settleDue = prepareSettleDue(context);
  const counts = prepareCounts(context);
  const due = context.prepareRows<Owner & { readonly at: Date }, readonly [seq: number]>(`
    SELECT seq FROM belfry_inbox_items INDEXED BY belfry_inbox_items_snoozed
    WHERE ${OWN} AND snoozed_until IS NOT NULL AND snoozed_until <= :at ORDER BY seq LIMIT ${WOKEN_AT_ONCE}`);
  return (owner: Owner, at: Date): DueChange => {
    const expired = mark(owner, [], { mark: "expired", at });
    const refs = due.all({ ...owner, at }).map(([seq]) => ({ seq }));
    const woken = mark(owner, refs, { mark: "woken", at });
    if (woken.changed.size === 0) {
      settleDue(owner);
    }
    return { expired, woken, counts: counts(owner) };
  };
}
