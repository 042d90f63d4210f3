import type { AuditEntry, Owner } from "@belfry/core";
import type { ActivityStorage, StepRange } from "@belfry/core/storage";
import { fieldsOf } from "../database/fields.ts";
import type { Sql } from "../database/sql.ts";

/** The audit log in a SQL database: reads, exports, erases and sweeps its lines. */
export function auditLog(sql: Sql): Pick<ActivityStorage, "auditOf" | "eraseAudit" | "exportAudit" | "sweepAudit"> {
  const { auditLog: log } = sql.tables;
  const fields = fieldsOf<AuditEntry>(sql.schema.auditLog, sql);
  const lines = async (name: string, where: string, values: readonly unknown[]) => {
    const rows = await sql.rows(name, `SELECT ${fields.columns("a")} FROM ${log} a WHERE ${where} ORDER BY a.number LIMIT $3`, values);
    return rows.map(fields.record);
  };
  /** Reads a tenant's lines, and returns those whose actor is the user, and where the next step goes on. */
  const linesOf = async ({ tenant, userId }: Owner, { after, limit }: StepRange) => {
    const looked = await lines("audit_lines", "a.tenant = $1 AND a.number > $2", [tenant, Number(after ?? 0), limit]);
    return { own: looked.filter(({ actor }) => actor === userId), next: nextOf(looked, limit) };
  };
  return {
    auditOf: (tenant, id, limit) => lines("audit_of", "a.tenant = $1 AND a.notification_id = $2", [tenant, id, limit]),
    async eraseAudit(owner, range) {
      const { own, next } = await linesOf(owner, range);
      const numbers = JSON.stringify(own.map(({ number }) => number));
      const lines = `tenant = $1 AND ${sql.isIn("number", "$2", "bigint")}`;
      const created = `SELECT notification_id FROM ${log} WHERE ${lines} AND action = 'created'`;
      const eraseCaused = `UPDATE ${sql.tables.notifications} SET sender = NULL WHERE tenant = $1 AND kind = 'send' AND id IN (${created})`;
      await sql.inStep("erase_audit", [eraseCaused, `UPDATE ${log} SET actor = '' WHERE ${lines}`], [owner.tenant, numbers]);
      return { removed: own.length, next };
    },
    async exportAudit(owner, range) {
      const { own: records, next } = await linesOf(owner, range);
      return { records, next };
    },
    async sweepAudit(before, { after, limit }) {
      // Reads by key, because lines are written in time order.
      const look = `SELECT number, ${sql.milliseconds("at")} AS at FROM ${log} WHERE number > $1 ORDER BY number LIMIT $2`;
      const looked = await sql.rows<{ readonly number: number; readonly at: number }>("audit_to_sweep", look, [Number(after ?? 0), limit]);
      const old = looked.filter(({ at }) => at < before.getTime());
      const free = `SELECT a.number FROM ${log} a WHERE ${sql.isIn("a.number", "$1", "bigint")} ${sql.skipLocked("a")}`;
      const remove = `DELETE FROM ${log} WHERE number IN (${free})`;
      await sql.inStep("sweep_audit", [remove], [JSON.stringify(old.map(({ number }) => number))]);
      const last = looked.at(-1);
      return { removed: old.length, next: last !== undefined && last.at < before.getTime() ? nextOf(looked, limit) : null };
    },
  };
}

/** Where the next step goes on after these lines; null if they are the last. */
function nextOf(lines: readonly { readonly number: number }[], limit: number): string | null {
  const last = lines.length < limit ? undefined : lines.at(-1);
  return last === undefined ? null : String(last.number);
}
