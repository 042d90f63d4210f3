import type { DigestStorage, LeaseRequest } from "@belfry/core/storage";
import { type ClaimedDigestRow, digestColumns, digestStorage, type Sql, toClaimedDigest } from "@belfry/storage-sql";
import type { Current } from "../database/bind.ts";
import { type LeaseTable, leases } from "../database/leases.ts";
import { DIALECT } from "../database/sql.ts";
import type { QueryContext } from "../database/statement.ts";

const COLUMNS = digestColumns(DIALECT);
const toTask = toClaimedDigest(DIALECT);

/** Digests as tasks to be leased. */
const DIGEST_LEASES: LeaseTable<ClaimedDigestRow, ReturnType<typeof toTask>, object> = {
  table: "belfry_digests",
  isDue: "lease_owner IS NULL AND due_at <= :at",
  queues: [
    "SELECT due_at AS due FROM belfry_digests WHERE lease_owner IS NULL AND due_at IS NOT NULL ORDER BY due_at LIMIT 1",
    "SELECT due_at FROM belfry_digest_entries WHERE digest_pk IS NULL ORDER BY due_at LIMIT 1",
  ],
  select: `SELECT ${COLUMNS} FROM belfry_digests g`,
  alias: "g",
  due: prepareDue,
  tasks: () => (rows) => rows.map(toTask),
};

/** Finds due digests, the oldest first, and closes their windows. */
function prepareDue({ prepare }: QueryContext) {
  const find = prepare<Pick<LeaseRequest, "at" | "limit" | "exceptTenants">, ClaimedDigestRow>(`
    SELECT ${COLUMNS} FROM belfry_digests g WHERE g.lease_owner IS NULL AND g.due_at <= :at
      AND g.tenant NOT IN (SELECT value FROM json_each(:exceptTenants)) ORDER BY g.due_at, g.pk LIMIT :limit`);
  const close = prepare<{ readonly pks: readonly number[] }>(
    "UPDATE belfry_digests SET state = 'closing' WHERE state = 'open' AND pk IN (SELECT value FROM json_each(:pks))",
  );
  return ({ at, limit, exceptTenants }: LeaseRequest): readonly ClaimedDigestRow[] => {
    const rows = find.all({ at, limit, exceptTenants });
    close.run({ pks: rows.map(({ pk }) => pk) });
    return rows.map((row) => (row.state === "open" ? { ...row, state: "closing" } : row));
  };
}

/** Digests in SQLite. */
export function sqliteDigests(current: Current, sql: Sql): DigestStorage {
  return digestStorage(sql, leases(current, DIGEST_LEASES));
}
