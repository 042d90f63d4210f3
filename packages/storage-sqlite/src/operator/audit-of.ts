import type { AuditAction, AuditEntry } from "@belfry/core";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";

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
