import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { joinValue } from "../inbox/conditions.ts";
import { type FilterValues, MATCHES } from "./filter-values.ts";
import type { Candidate } from "./ways.ts";

/** The ids that a step of a walk may come to. */
export interface WalkRange {
  /** Exclusive. */
  readonly below: string;
  /** Inclusive. */
  readonly lowest: string;
}

/** Reads a step of the tenant's notifications, newest first: up to `limit`, whether they match or not. */
export function prepareWalk({ prepareRows }: QueryContext) {
  const step = prepareRows<FilterValues & WalkRange & { readonly limit: number }, readonly [matches: number, pk: number, id: string]>(sql`
    select ${MATCHES}, n.pk, n.id from belfry_notifications n
    where n.tenant = ${joinValue("tenant")} and n.id < ${joinValue("below")} and n.id >= ${joinValue("lowest")}
    order by n.id desc limit ${sql.placeholder("limit")}`);
  return (values: FilterValues, range: WalkRange, limit: number): readonly Candidate[] =>
    step.all({ ...values, ...range, limit }).map(([matches, pk, id]) => ({ matches: matches === 1, pk, id }));
}
