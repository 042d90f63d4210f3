import type { AuditEntry } from "@belfry/core";
import type { ActivityStorage, AuditNames, AuditQuery, DeliveryStorage, NewAuditEntry, StepRange } from "@belfry/core/storage";
import { type Fields, fieldsOf } from "../database/fields.ts";
import { type Asked, filteredBy, type Sql } from "../database/sql.ts";

/** The audit log in a SQL database: reads, exports, erases and sweeps its lines. */
export function auditLog(sql: Sql): Pick<ActivityStorage, "auditOf" | "eraseAudit" | "exportAudit" | "sweepAudit"> {
  const { auditLog: log } = sql.tables;
  const fields = auditFields(sql);
  const lines = async (name: string, where: string, values: readonly unknown[]) => {
    const rows = await sql.rows(name, `SELECT ${fields.columns("a")} FROM ${log} a WHERE ${where} ORDER BY a.number LIMIT $3`, values);
    return rows.map(fields.record);
  };
  /** Reads a tenant's lines, and returns those that name the user, and where the next step goes on. */
  const linesOf = async ({ tenant, names }: AuditNames, { after, limit }: StepRange) => {
    const looked = await lines("audit_lines", "a.tenant = $1 AND a.number > $2", [tenant, Number(after ?? 0), limit]);
    const own = looked.filter(({ actor, targetId }) => names.includes(actor) || (targetId !== null && names.includes(targetId)));
    return { own, next: nextOf(looked, limit) };
  };
  return {
    auditOf: (tenant, id, limit) => lines("audit_of", "a.tenant = $1 AND a.notification_id = $2", [tenant, id, limit]),
    async eraseAudit(of, range) {
      const { own, next } = await linesOf(of, range);
      const numbers = JSON.stringify(own.map(({ number }) => number));
      const named = (column: string) => `tenant = $1 AND ${sql.isIn("number", "$2", "bigint")} AND ${sql.isIn(column, "$3", "text")}`;
      const created = `SELECT notification_id FROM ${log} WHERE ${named("actor")} AND action = 'created'`;
      const steps = [
        `UPDATE ${sql.tables.notifications} SET sender = NULL WHERE tenant = $1 AND kind = 'send' AND id IN (${created})`,
        `UPDATE ${log} SET actor = '' WHERE ${named("actor")}`,
        `UPDATE ${log} SET target_id = NULL WHERE ${named("target_id")}`,
      ];
      await sql.inStep("erase_audit", steps, [of.tenant, numbers, JSON.stringify(of.names)]);
      return { removed: own.length, next };
    },
    async exportAudit(of, range) {
      const { own: records, next } = await linesOf(of, range);
      return { records, next };
    },
    async sweepAudit(before, { after, limit }) {
      // Reads by key, because lines are written in time order.
      const look = `SELECT number, ${sql.milliseconds("at")} AS at FROM ${log} WHERE number > $1 ORDER BY number LIMIT $2`;
      const looked = await sql.rows<NumberedRow>("audit_to_sweep", look, [Number(after ?? 0), limit]);
      const old = looked.filter(({ at }) => at < before.getTime());
      const free = `SELECT a.number FROM ${log} a WHERE ${sql.isIn("a.number", "$1", "bigint")} ${sql.skipLocked("a")}`;
      const remove = `DELETE FROM ${log} WHERE number IN (${free})`;
      await sql.inStep("sweep_audit", [remove], [JSON.stringify(old.map(({ number }) => number))]);
      const last = looked.at(-1);
      return { removed: old.length, next: last !== undefined && last.at < before.getTime() ? nextOf(looked, limit) : null };
    },
  };
}

interface NumberedRow {
  readonly number: number;
  readonly at: number;
}

function auditFields(sql: Sql): Fields<AuditEntry> {
  return fieldsOf<AuditEntry>(sql.schema.auditLog, sql);
}

/** Where the next step goes on after these lines; null if they are the last. */
function nextOf(lines: readonly { readonly number: number }[], limit: number): string | null {
  const last = lines.length < limit ? undefined : lines.at(-1);
  return last === undefined ? null : String(last.number);
}

/** How far the clocks of processes may be apart, for a filter by time. */
const CLOCKS_MS = 3_600_000;

/**
 * Lists lines of the audit log, newest first. What almost all lines have in common, that the host created something, is in no index of actors and
 * actions, and the number of the first line of a time is searched for, so that a line costs no index of times.
 */
export function listingAudit(sql: Sql): Pick<DeliveryStorage, "listAudit"> {
  const { auditLog: log } = sql.tables;
  const fields = auditFields(sql);
  const unlessCommon = (column: string, common: string, value: string | undefined) =>
    [value, (given: string) => `a.${column} = ${given}${value === common ? "" : ` AND a.${column} <> '${common}'`}`] as const;
  const time = (given: string) => sql.cast(given, "timestamptz");
  return {
    async listAudit(tenant, { limit, before = Number.MAX_SAFE_INTEGER, ...query }) {
      const { actor, action, notificationId, targetKind, targetId, from, until } = query;
      const first = from === undefined ? undefined : await firstAt(sql, tenant, from.getTime() - CLOCKS_MS);
      const end = until === undefined ? before : Math.min(before, await firstAt(sql, tenant, until.getTime() + CLOCKS_MS));
      const { and, values } = filteredBy([
        unlessCommon("actor", "host", actor),
        unlessCommon("action", "created", action),
        [notificationId?.toLowerCase(), (given) => `a.notification_id = ${sql.cast(given, "uuid")}`],
        [targetKind, (given) => `a.target_kind = ${given}`],
        [targetId, (given) => `a.target_id = ${given}`],
        [first?.toString(), (given) => `a.number >= ${sql.cast(given, "bigint")}`],
        [from, (given) => `a.at >= ${time(given)}`],
        [until, (given) => `a.at < ${time(given)}`],
      ]);
      const index = sql.by(`belfry_audit_log_${indexFor(query)}`);
      const text = `SELECT ${fields.columns("a")} FROM ${log} a ${index} WHERE a.tenant = $1 AND a.number < $2${and} ORDER BY a.number DESC LIMIT $3`;
      return (await sql.rows("list_audit", text, [tenant, end, limit, ...values])).map(fields.record);
    },
  };
}

/** The index that leads to the fewest lines. */
function indexFor({
  actor,
  action,
  notificationId,
  targetId,
}: Omit<AuditQuery, "limit">): "target" | "notification" | "actor" | "action" | "tenant" {
  if (targetId !== undefined) {
    return "target";
  }
  if (notificationId !== undefined) {
    return "notification";
  }
  if (actor !== undefined && actor !== "host") {
    return "actor";
  }
  return action !== undefined && action !== "created" ? "action" : "tenant";
}

/** The number of a tenant's first line that was written at this time or later, as if clocks never went back. It looks at some 30 lines. */
async function firstAt(sql: Sql, tenant: string, timeMs: number): Promise<number> {
  const from = `FROM ${sql.tables.auditLog} a ${sql.by("belfry_audit_log_tenant")} WHERE a.tenant = $1`;
  const line = `SELECT a.number, ${sql.milliseconds("a.at")} AS at ${from}`;
  const newestText = `${line} AND a.number < $2 ORDER BY a.number DESC LIMIT 1`;
  const [newest] = await sql.rows<NumberedRow>("audit_newest", newestText, [tenant, Number.MAX_SAFE_INTEGER]);
  let [low, high] = [0, newest?.number ?? 0];
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const [found] = await sql.rows<NumberedRow>("audit_at", `${line} AND a.number >= $2 ORDER BY a.number LIMIT 1`, [tenant, middle]);
    if (found === undefined || found.at >= timeMs) {
      high = middle - 1;
    } else {
      low = found.number + 1;
    }
  }
  return low;
}

/** A statement that writes a line of the audit log. @param rows what it is written for, once for each row. @default once */
export function writingLine(sql: Sql, { tenant, line, at }: AuditLine, rows?: Asked): Asked {
  const { action, actor, notificationId, targetKind = null, targetId = null, details = null } = line;
  const types = ["text", "timestamptz", "text", "text", "uuid", "text", "text", "text"] as const;
  const shift = rows?.values.length ?? 0;
  const given = types.map((type, index) => sql.cast(`$${shift + index + 1}`, type)).join(", ");
  return {
    text: `INSERT INTO ${sql.tables.auditLog} (tenant, at, action, actor, notification_id, target_kind, target_id, details)
      SELECT ${given}${rows === undefined ? "" : ` FROM (${rows.text}) r`} RETURNING number`,
    values: [...(rows?.values ?? []), tenant, at, action, actor, notificationId, targetKind, targetId, details],
  };
}

/** A line to write. */
interface AuditLine {
  readonly tenant: string;
  readonly line: NewAuditEntry;
  readonly at: Date;
}
