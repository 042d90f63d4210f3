import type { AuditAction, AuditEntry } from "@belfry/core";
import type { Session } from "../database/connection.ts";
import { milliseconds } from "../database/json-rows.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** Reads the lines of the audit log about one notification, oldest first. */
export function prepareAuditOf({ auditLog }: TableNames) {
  const list = statement<[number: number, at: number, action: AuditAction, actor: string]>(
    "audit_of",
    `SELECT number, ${milliseconds("at")}, action, actor FROM ${auditLog} WHERE tenant = $1 AND notification_id = $2 ORDER BY number LIMIT $3`,
  );
  return (tenant: string, id: string, limit: number) =>
    async (session: Session): Promise<readonly AuditEntry[]> => {
      const rows = await session.rows(list, [tenant, id, limit]);
      return rows.map(([number, at, action, actor]) => ({ number, tenant, at: new Date(at), action, actor, notificationId: id }));
    };
}
