import type { DigestStorage, DueRequest } from "@belfry/core/storage";
import { digestColumns, digestStorage, type Sql, toClaimedDigest, toDigestRow } from "@belfry/storage-sql";
import type { Current } from "../database/bind.ts";
import { type LeaseTable, leases } from "../database/leases.ts";
import { DIALECT } from "../database/sql.ts";
import type { QueryContext } from "../database/statement.ts";

const COLUMNS = digestColumns(DIALECT);
const toTask = toClaimedDigest(DIALECT);
const toRow = toDigestRow(DIALECT);

type Row = [pk: number, attempt: number, fence: number, ...rest: unknown[]];

/** Digests as tasks to be leased. */
const DIGEST_LEASES: LeaseTable<Row, ReturnType<typeof toTask>, object> = {
  table: "belfry_digests",
  isDue: "lease_owner IS NULL AND due_at <= :at",
  queues: [
    "SELECT due_at AS due FROM belfry_digests WHERE lease_owner IS NULL AND due_at IS NOT NULL ORDER BY due_at LIMIT 1",
    "SELECT due_at FROM belfry_digest_entries WHERE digest_pk IS NULL ORDER BY due_at LIMIT 1",
  ],
  select: `SELECT ${COLUMNS} FROM belfry_digests g`,
  alias: "g",
  due: prepareDue,
  lease: (row) => {
    row[1] += 1;
    row[2] += 1;
  },
  tasks: () => (rows) => rows.map((row) => toTask(toRow(row))),
};

/** Finds due digests, the oldest first, and closes their windows. */
function prepareDue({ prepare, prepareRows }: QueryContext) {
  const find = prepare<DueRequest, { readonly pk: number }>(`
    SELECT pk FROM belfry_digests WHERE lease_owner IS NULL AND due_at <= :at
      AND tenant NOT IN (SELECT value FROM json_each(:exceptTenants)) ORDER BY due_at, pk LIMIT :limit`);
  const close = prepare<{ readonly pks: readonly number[] }>(
    "UPDATE belfry_digests SET state = 'closing' WHERE state = 'open' AND pk IN (SELECT value FROM json_each(:pks))",
  );
  const read = prepareRows<{ readonly pks: readonly number[] }, Row>(`
    SELECT ${COLUMNS} FROM belfry_digests g WHERE g.pk IN (SELECT value FROM json_each(:pks)) ORDER BY g.due_at, g.pk`);
  return ({ at, limit, exceptTenants }: DueRequest): readonly Row[] => {
    const pks = find.all({ at, limit, exceptTenants }).map(({ pk }) => pk);
    close.run({ pks });
    return read.all({ pks });
  };
}

/** Digests in SQLite. */
export function sqliteDigests(current: Current, sql: Sql): DigestStorage {
  return digestStorage(sql, leases(current, DIGEST_LEASES));
}
