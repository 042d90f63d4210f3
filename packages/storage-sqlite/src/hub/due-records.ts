import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";

/** How many due records are looked at, whosever they are, before each tenant's are looked at by themselves. */
const CANDIDATES = 1_000;

interface DueRow {
  readonly pk: number;
  readonly tenant: string;
  readonly due_at: number;
}

/** Whether anything is due that nobody holds: then a claim is worth a transaction. */
export function prepareHasDueRecord({ prepare }: QueryContext) {
  const find = prepare<{ readonly at: number }, { readonly pk: number }>(sql`
    select pk from belfry_processing_records where status = 'PENDING' and due_at <= ${sql.placeholder("at")} limit 1`);
  return (at: Date): boolean => find.get({ at: at.getTime() }) !== undefined;
}

/** Finds the records that are due first, those of some tenants left out. Answers their keys, those due first first. */
export function prepareDueRecords(context: QueryContext) {
  const first = context.prepare<{ readonly atMs: number; readonly limit: number }, DueRow>(sql`
    select pk, tenant, due_at from belfry_processing_records where status = 'PENDING' and due_at <= ${sql.placeholder("atMs")}
    order by due_at, pk limit ${sql.placeholder("limit")}`);
  const ofOthers = prepareDueByTenant(context);
  return ({ atMs, limit, exceptTenants }: { readonly atMs: number; readonly limit: number; readonly exceptTenants: readonly string[] }) => {
    const except = new Set(exceptTenants);
    const candidates = first.all({ atMs, limit: except.size === 0 ? limit : Math.max(limit, CANDIDATES) });
    const found = candidates.filter(({ tenant }) => !except.has(tenant));
    // One tenant may have a million in front of everybody else's: going past them one by one would take as long.
    const isAll = found.length >= limit || candidates.length < CANDIDATES;
    return (isAll ? found : ofOthers({ atMs, limit, except })).slice(0, limit).map(({ pk }) => pk);
  };
}

/** Finds the due records of every tenant by itself, with one step for each tenant that has any pending. */
function prepareDueByTenant({ prepare }: QueryContext) {
  const nextTenant = prepare<{ readonly after: string }, { readonly tenant: string | null }>(sql`
    select min(tenant) as tenant from belfry_processing_records where status = 'PENDING' and tenant > ${sql.placeholder("after")}`);
  const dueOf = prepare<{ readonly tenant: string; readonly atMs: number; readonly limit: number }, DueRow>(sql`
    select pk, tenant, due_at from belfry_processing_records
    where status = 'PENDING' and tenant = ${sql.placeholder("tenant")} and due_at <= ${sql.placeholder("atMs")}
    order by due_at, pk limit ${sql.placeholder("limit")}`);
  return ({ atMs, limit, except }: { readonly atMs: number; readonly limit: number; readonly except: ReadonlySet<string> }) => {
    let due: readonly DueRow[] = [];
    let untilMs = atMs;
    for (
      let tenant = nextTenant.get({ after: "" })?.tenant;
      typeof tenant === "string";
      tenant = nextTenant.get({ after: tenant })?.tenant
    ) {
      const found = except.has(tenant) ? [] : dueOf.all({ tenant, atMs: untilMs, limit });
      if (found.length > 0) {
        due = [...due, ...found].sort((left, right) => left.due_at - right.due_at || left.pk - right.pk).slice(0, limit);
        // With enough of them, only what is due before the last of them is of interest.
        untilMs = due.length < limit ? atMs : (due.at(-1)?.due_at ?? atMs);
      }
    }
    return due;
  };
}
