import type { AuditAction, AuditEntry } from "@belfry/core";
import type { NewAuditEntry } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";

/** Writes a line of the audit log. */
export function prepareWriteAudit({ prepare }: QueryContext) {
  const insert = prepare<NewAuditEntry & { readonly tenant: string; readonly at: number }>(sql`
    insert into belfry_audit_log (tenant, at, action, actor, notification_id)
    values (${sql.placeholder("tenant")}, ${sql.placeholder("at")}, ${sql.placeholder("action")}, ${sql.placeholder("actor")},
      ${sql.placeholder("notificationId")})`);
  return (tenant: string, entry: NewAuditEntry, at: Date): void => {
    insert.run({ ...entry, tenant, at: at.getTime() });
  };
}

/** Reads a tenant's audit log, newest first. */
export function prepareListAudit({ prepare }: QueryContext) {
  interface AuditRow {
    readonly number: number;
    readonly at: number;
    readonly action: AuditAction;
    readonly actor: string;
    readonly notification_id: string;
  }
  const list = prepare<{ readonly tenant: string; readonly before: number; readonly limit: number }, AuditRow>(sql`
    select number, at, action, actor, notification_id from belfry_audit_log
    where tenant = ${sql.placeholder("tenant")} and number < ${sql.placeholder("before")} order by number desc limit ${sql.placeholder("limit")}`);
  return (tenant: string, { limit, before = Number.MAX_SAFE_INTEGER }: { readonly limit: number; readonly before?: number }) =>
    list
      .all({ tenant, limit, before })
      .map(({ at, notification_id, ...row }): AuditEntry => ({ ...row, tenant, at: new Date(at), notificationId: notification_id }));
}
