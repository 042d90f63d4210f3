import type { ActivityFilter } from "@belfry/core";
import { idRange } from "@belfry/core/storage";
import type { TableNames } from "../database/table-names.ts";

/** What a statement may be asked to hold, each with a parameter of its own. */
export type ConditionName = keyof ActivityFilter | "below" | "lowest";

/** The values of those conditions that are asked for. */
export type Conditions = Readonly<Partial<Record<ConditionName, string>>>;

/** The conditions of a filter, and of the part of a search that is older than the notification `after`. */
export function conditionsOf({ from, before, ...filter }: ActivityFilter, after?: string): Conditions {
  const range = idRange({ ...(from === undefined ? {} : { from }), ...(before === undefined ? {} : { before }) });
  const below = after !== undefined && (range.below === null || after < range.below) ? after : range.below;
  return {
    ...filter,
    ...(from === undefined ? {} : { from: from.toISOString() }),
    ...(before === undefined ? {} : { before: before.toISOString() }),
    ...(below === null ? {} : { below }),
    ...(range.lowest === null ? {} : { lowest: range.lowest }),
  };
}

/** The names of conditions, in the order in which statements take their values after $1, the tenant. */
export function namesOf(conditions: Conditions): readonly ConditionName[] {
  return (Object.keys(conditions) as ConditionName[]).filter((name) => conditions[name] !== undefined).sort();
}

/** The parameter of the condition `name`. */
export function parameterOf(name: ConditionName, names: readonly ConditionName[]): `$${number}` {
  return `$${names.indexOf(name) + 2}`;
}

/** Whether a condition says which ids to look at. */
export function isOfId(name: ConditionName): boolean {
  return name === "id" || name === "below" || name === "lowest";
}

/** The tenant and `conditions` as SQL over the notification `n`, in a statement whose parameters are those of `names`. */
export function allOf(tables: TableNames, conditions: readonly ConditionName[], names = conditions): string {
  return ["n.tenant = $1", ...conditions.map((name) => condition(tables, name, parameterOf(name, names)))].join(" AND ");
}

/**
 * What is asked of other tables stands where the planner cannot make a join of it: it is looked up by key for one
 * notification after another, until enough have matched.
 */
function condition({ sends, deliveries, inboxItems }: TableNames, name: ConditionName, value: string): string {
  const conditions: Readonly<Record<ConditionName, string>> = {
    id: `n.id = ${value}::uuid`,
    below: `n.id < ${value}::uuid`,
    lowest: `n.id >= ${value}::uuid`,
    kind: `n.kind = ${value}`,
    type: `CASE n.kind WHEN 'event' THEN n.source ELSE n.type END = ${value}`,
    from: `n.created_at >= ${value}::timestamptz`,
    before: `n.created_at < ${value}::timestamptz`,
    status: `(SELECT s.status FROM ${sends} s WHERE s.notification_pk = n.pk) = ${value}`,
    channel: `CASE n.kind
      WHEN 'message' THEN ${value} = 'inbox'
      WHEN 'send' THEN coalesce((SELECT s.channels::jsonb ? ${value} FROM ${sends} s WHERE s.notification_pk = n.pk)
        OR (SELECT d.channel FROM ${deliveries} d WHERE d.notification_pk = n.pk AND d.is_fallback LIMIT 1) = ${value}, false)
      ELSE false END`,
    recipient: `CASE n.kind
      WHEN 'event' THEN n.sender = ${value}
      ELSE EXISTS (SELECT FROM ${inboxItems} i WHERE i.notification_pk = n.pk AND i.user_id = ${value})
        OR EXISTS (SELECT FROM ${deliveries} d WHERE d.tenant = $1 AND d.recipient = ${value} AND d.notification_pk = n.pk) END`,
  };
  return conditions[name];
}
