import type { ClaimedDigest, DigestStorage } from "@belfry/core/storage";
import { type ClaimedDigestRow, digestColumns, digestStorage, type Sql, toClaimedDigest } from "@belfry/storage-sql";
import type { Bound } from "../database/bind.ts";
import { type LeaseTable, leases } from "../database/leases.ts";
import { DIALECT } from "../database/sql.ts";
import { type JsonRow, timeOf } from "../database/statement.ts";

const toTask = toClaimedDigest(DIALECT);

/** Digests as tasks to be leased. A claim closes their windows. */
const DIGEST_LEASES: LeaseTable<JsonRow<ClaimedDigestRow>, ClaimedDigest, object> = {
  name: "digests",
  table: "digests",
  columns: () => `(SELECT to_json(x) FROM (SELECT ${digestColumns(DIALECT)}) x)`,
  alias: "g",
  queues: ["lease_owner IS NULL AND due_at IS NOT NULL"],
  alsoDue: ({ digestEntries }) => [`SELECT due_at AS due FROM ${digestEntries} WHERE digest_pk IS NULL ORDER BY due_at LIMIT 1`],
  claimed: "state = CASE WHEN t.state = 'open' THEN 'closing' ELSE t.state END,",
  choose: ({ digests }, choosing) => {
    // $3 tenants to leave out.
    const first = choosing.statement(
      "claim_digests",
      `due AS MATERIALIZED (
        SELECT pk FROM ${digests} WHERE lease_owner IS NULL AND due_at <= (SELECT ${timeOf("$1")}) AND tenant <> ALL ($3::text[])
        ORDER BY due_at LIMIT $2 ${choosing.locked()}
      )`,
      1,
    );
    return (run, { limit, exceptTenants }) => run(first, limit, [exceptTenants]);
  },
  tasks: (rows) => rows.map(([row]) => toTask(row)),
};

/** Digests in PostgreSQL. */
export function postgresDigests(bound: Bound, sql: Sql): DigestStorage {
  return digestStorage(sql, leases(bound, DIGEST_LEASES));
}
