import type { HeldLeases, RecentRecord, WaitingTasks, WorkHealthReads } from "@belfry/core/storage";
import { type RowOf, type Sql, selected } from "../database/sql.ts";

interface WaitingRow {
  readonly count: number;
  readonly due: number;
  readonly firstDueAt: number | null;
}

/** The work in the background in a SQL database. */
export function workHealthReads(sql: Sql): WorkHealthReads {
  const { deliveries, digests, events, processingRecords } = sql.tables;
  const at = (parameter: string) => sql.cast(parameter, "timestamptz");
  // The times lead to the index of leases, which has only what is under way, whatever its tenant.
  const held = (work: string, table: string) => `SELECT '${work}' AS work, lease_owner AS owner, count(*) AS leases,
    max(${sql.milliseconds("lease_until")}) AS until FROM ${table}
    WHERE lease_owner IS NOT NULL AND lease_until > ${at("$2")} AND ${sql.unindexed("tenant")} = $1 GROUP BY lease_owner`;
  const leases = `${[held("deliveries", deliveries), held("digests", digests), held("processing records", processingRecords)].join(" UNION ALL ")}`;
  const columns = selected({
    status: "r.status",
    createdAt: sql.milliseconds("r.created_at"),
    completedAt: sql.milliseconds("r.completed_at"),
  });
  const recent = `SELECT ${columns} FROM (SELECT notification_pk FROM ${events} WHERE tenant = $1 AND received_at >= ${at("$2")}
      ORDER BY received_at DESC, notification_pk DESC LIMIT $3) recent
    ${sql.join} ${processingRecords} r ON r.notification_pk = recent.notification_pk LIMIT $3`;
  const waiting = (from: string) => `SELECT count(*) AS "count", count(CASE WHEN due_at <= ${at("$2")} THEN 1 END) AS due,
    ${sql.milliseconds("min(due_at)")} AS "firstDueAt" FROM (SELECT due_at FROM ${from} ORDER BY due_at LIMIT $3) waiting`;
  const records = waiting(`${processingRecords} WHERE tenant = $1 AND status = 'PENDING' AND due_at IS NOT NULL`);
  const windows = waiting(`${digests} WHERE ${sql.unindexed("tenant")} = $1 AND lease_owner IS NULL AND due_at IS NOT NULL`);
  const waitingOf = async (
    name: string,
    text: string,
    values: readonly [tenant: string, at: Date, limit: number],
  ): Promise<WaitingTasks> => {
    const [row] = await sql.rows<WaitingRow>(name, text, values);
    const { count = 0, due = 0, firstDueAt = null } = row ?? {};
    return { waiting: count, due, oldestDueAt: due === 0 || firstDueAt === null ? null : new Date(firstDueAt) };
  };
  return {
    async leases(tenant) {
      const rows = await sql.rows<RowOf<HeldLeases>>("held_leases", leases, [tenant, new Date(0)]);
      const found = rows.map(({ until, ...row }) => ({ ...row, until: new Date(until) }));
      // The names of workers are ids, in ASCII.
      return found.toSorted((left, right) => (left.work + left.owner < right.work + right.owner ? -1 : 1));
    },
    async recentRecords(tenant, from, limit) {
      const rows = await sql.rows<RowOf<RecentRecord>>("recent_records", recent, [tenant, from, limit]);
      return rows.map(({ status, createdAt, completedAt }) => ({
        status,
        createdAt: new Date(createdAt),
        completedAt: completedAt === null ? null : new Date(completedAt),
      }));
    },
    waitingRecords: (tenant, now, limit) => waitingOf("waiting_records", records, [tenant, now, limit]),
    waitingDigests: (tenant, now, limit) => waitingOf("waiting_digests", windows, [tenant, now, limit]),
  };
}
