import type { AuditAction, AuditEntry, Owner } from "@belfry/core";
import type { ExportStep, StepRange, SweepStep } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/statement.ts";

/** Reads the lines of the audit log about one notification, oldest first. */
export function prepareAuditOf({ prepare }: QueryContext) {
  interface AuditRow {
    readonly number: number;
    readonly at: number;
    readonly action: AuditAction;
    readonly actor: string;
  }
  const list = prepare<{ readonly tenant: string; readonly id: string; readonly limit: number }, AuditRow>(sql`
    select number, at, action, actor from belfry_audit_log
    where tenant = ${sql.placeholder("tenant")} and notification_id = ${sql.placeholder("id")} order by number limit ${sql.placeholder("limit")}`);
  return (tenant: string, id: string, limit: number): readonly AuditEntry[] =>
    list.all({ tenant, id, limit }).map(({ at, ...row }) => ({ ...row, tenant, at: new Date(at), notificationId: id }));
}

type Line = readonly [number: number, at: number, action: AuditAction, actor: string, notificationId: string];

/** Reads lines of one tenant's audit log, oldest first. */
function prepareLines({ prepareRows }: QueryContext) {
  const lines = prepareRows<{ readonly tenant: string; readonly after: number; readonly limit: number }, Line>(sql`
    select number, at, action, actor, notification_id from belfry_audit_log
    where tenant = ${sql.placeholder("tenant")} and number > ${sql.placeholder("after")} order by number limit ${sql.placeholder("limit")}`);
  return (tenant: string, { after, limit }: StepRange) => {
    const rows = lines.all({ tenant, after: Number(after ?? 0), limit });
    const last = rows.length < limit ? undefined : rows.at(-1);
    return { rows, next: last === undefined ? null : String(last[0]) };
  };
}

/** Empties the actor of lines in which it is the user. */
export function prepareEraseAudit(context: QueryContext) {
  const lines = prepareLines(context);
  const empty = context.prepare<{ readonly tenant: string; readonly number: number }>(sql`
    update belfry_audit_log set actor = '' where tenant = ${sql.placeholder("tenant")} and number = ${sql.placeholder("number")}`);
  return ({ tenant, userId }: Owner, range: StepRange): SweepStep => {
    const { rows, next } = lines(tenant, range);
    const own = rows.filter(([, , , actor]) => actor === userId);
    for (const [number] of own) {
      empty.run({ tenant, number });
    }
    return { removed: own.length, next };
  };
}

/** Reads the lines in which the user is the actor. */
export function prepareExportAudit(context: QueryContext) {
  const lines = prepareLines(context);
  return ({ tenant, userId }: Owner, range: StepRange): ExportStep<AuditEntry> => {
    const { rows, next } = lines(tenant, range);
    const own = rows.filter(([, , , actor]) => actor === userId);
    return {
      records: own.map(([number, at, action, actor, notificationId]) => ({
        number,
        tenant,
        at: new Date(at),
        action,
        actor,
        notificationId,
      })),
      next,
    };
  };
}

/** Removes old lines of all tenants. */
export function prepareSweepAudit({ prepare, prepareRows }: QueryContext) {
  const lookAt = prepareRows<{ readonly after: number; readonly limit: number }, readonly [number: number, at: number]>(sql`
    select number, at from belfry_audit_log where number > ${sql.placeholder("after")} order by number limit ${sql.placeholder("limit")}`);
  const remove = prepare<{ readonly number: number }>(sql`delete from belfry_audit_log where number = ${sql.placeholder("number")}`);
  return (before: Date, { after, limit }: StepRange): SweepStep => {
    const rows = lookAt.all({ after: Number(after ?? 0), limit });
    const old = rows.filter(([, at]) => at < before.getTime());
    for (const [number] of old) {
      remove.run({ number });
    }
    const last = rows.length < limit ? undefined : rows.at(-1);
    return { removed: old.length, next: last !== undefined && last[1] < before.getTime() ? String(last[0]) : null };
  };
}
