import type { Owner } from "@belfry/core";
import type { ErasureStep } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { inboxCounters, inboxItems, readMarks } from "../schema.ts";
import { joinValue, OWN_COUNTERS } from "./conditions.ts";
import { DROPPED_COLUMNS, type DroppedItem, prepareDropItems } from "./drop-items.ts";
import { prepareLeaveFanOuts } from "./leave-fan-outs.ts";

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
