import type { AuditAction, AuditEntry } from "@belfry/core";
import type { NewAuditEntry } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { milliseconds, timeOf } from "../database/json-rows.ts";
import { statement } from "../database/statement.ts";
import type { StorageTime } from "../database/storage-time.ts";
import type { TableNames } from "../database/table-names.ts";

/** A line of the audit log on its way into the database. */
export interface TenantAuditEntry extends NewAuditEntry {
  readonly tenant: string;
}

/** Writes lines of the audit log; `at` null is the database's time. */
export function prepareWriteAudit({ auditLog }: TableNames) {
  const insert = statement<[]>(
    "write_audit",
    `INSERT INTO ${auditLog} (tenant, at, action, actor, notification_id)
    SELECT e.tenant, ${timeOf("$5")}, e.action, e.actor, e.id FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) AS e(tenant, action, actor, id)`,
  );
  return async (session: Session, entries: readonly TenantAuditEntry[], at: string | null): Promise<void> => {
    if (entries.length > 0) {
      const values = [
        entries.map(({ tenant }) => tenant),
        entries.map(({ action }) => action),
        entries.map(({ actor }) => actor),
        entries.map(({ notificationId }) => notificationId),
      ];
      await session.rows(insert, [...values, at]);
    }
  };
}

/** Writes one line of the audit log. */
export function prepareNote(tables: TableNames, time: StorageTime) {
  const writeAudit = prepareWriteAudit(tables);
  return (tenant: string, entry: NewAuditEntry, at: Date) => (session: Session) => writeAudit(session, [{ ...entry, tenant }], time(at));
}

/** Reads a tenant's audit log, newest first. */
export function prepareListAudit({ auditLog }: TableNames) {
  const list = statement<[number: number, at: number, action: AuditAction, actor: string, notificationId: string]>(
    "list_audit",
    `SELECT number, ${milliseconds("at")}, action, actor, notification_id FROM ${auditLog} WHERE tenant = $1 AND number < $2 ORDER BY number DESC LIMIT $3`,
  );
  return (tenant: string, { limit, before = Number.MAX_SAFE_INTEGER }: { readonly limit: number; readonly before?: number }) =>
    async (session: Session): Promise<readonly AuditEntry[]> => {
      const rows = await session.rows(list, [tenant, before, limit]);
      return rows.map(([number, at, action, actor, notificationId]) => ({
        number,
        tenant,
        at: new Date(at),
        action,
        actor,
        notificationId,
      }));
    };
}
