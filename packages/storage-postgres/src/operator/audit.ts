import type { AuditAction, AuditEntry, Owner } from "@belfry/core";
import type { ExportStep, StepRange, SweepStep } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { milliseconds, statement } from "../database/statement.ts";
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

type SweptRow = readonly [number: number, goesOn: boolean, removed: number];

/** Empties the actor of lines in which it is the user. */
export function prepareEraseAudit({ auditLog }: TableNames) {
  const erase = statement<SweptRow>(
    "erase_audit",
    `WITH looked_at AS MATERIALIZED (
      SELECT number, actor FROM ${auditLog} WHERE tenant = $1 AND number > $3 ORDER BY number LIMIT $4
    ),
    emptied AS (
      UPDATE ${auditLog} a SET actor = '' FROM looked_at l WHERE a.tenant = $1 AND a.number = l.number AND l.actor = $2 RETURNING 1
    )
    SELECT number, true, (SELECT count(*) FROM emptied) FROM looked_at ORDER BY number`,
  );
  return ({ tenant, userId }: Owner, { after, limit }: StepRange) =>
    async (session: Session): Promise<SweepStep> =>
      toStep(await session.rows(erase, [tenant, userId, Number(after ?? 0), limit]), limit);
}

/** Reads the lines in which the user is the actor. */
export function prepareExportAudit({ auditLog }: TableNames) {
  const lines = statement<readonly [number: number, at: number, action: AuditAction, actor: string, notificationId: string]>(
    "export_audit",
    `SELECT number, ${milliseconds("at")}, action, actor, notification_id FROM ${auditLog} WHERE tenant = $1 AND number > $2 ORDER BY number LIMIT $3`,
  );
  return ({ tenant, userId }: Owner, { after, limit }: StepRange) =>
    async (session: Session): Promise<ExportStep<AuditEntry>> => {
      const rows = await session.rows(lines, [tenant, Number(after ?? 0), limit]);
      const last = rows.length < limit ? undefined : rows.at(-1);
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
        next: last === undefined ? null : String(last[0]),
      };
    };
}

/** Removes old lines of all tenants. */
export function prepareSweepAudit({ auditLog }: TableNames) {
  const sweep = statement<SweptRow>(
    "sweep_audit",
    `WITH looked_at AS MATERIALIZED (
      SELECT number, at < $3::timestamptz AS is_old FROM ${auditLog} WHERE number > $1 ORDER BY number LIMIT $2
    ),
    removed AS (DELETE FROM ${auditLog} a USING looked_at l WHERE a.number = l.number AND l.is_old RETURNING 1)
    SELECT number, is_old, (SELECT count(*) FROM removed) FROM looked_at ORDER BY number`,
  );
  return (before: Date, { after, limit }: StepRange) =>
    async (session: Session): Promise<SweepStep> =>
      toStep(await session.rows(sweep, [Number(after ?? 0), limit, before.toISOString()]), limit);
}

function toStep(rows: readonly SweptRow[], limit: number): SweepStep {
  const last = rows.length < limit ? undefined : rows.at(-1);
  return { removed: rows[0]?.[2] ?? 0, next: last?.[1] ? String(last[0]) : null };
}
