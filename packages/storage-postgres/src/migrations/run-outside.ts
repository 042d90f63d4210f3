import type { PoolClient } from "pg";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import { quoteIdentifier } from "../database/table-names.ts";

/** The statements about indexes that PostgreSQL refuses for a table with partitions. */
const CREATE = /^CREATE (UNIQUE )?INDEX CONCURRENTLY (\w+) ON (\w+) (.+)$/s;
const DROP = /^DROP INDEX CONCURRENTLY IF EXISTS (\w+)$/;

/** How long the removal of an index waits for those who use its table, in milliseconds: others wait behind it meanwhile. */
const LOCK_TIMEOUT_MS = 1_000;

/**
 * Runs a statement of a migration of the phase `outside`, in the schema that is the search path. For a table with partitions, an index is built on
 * each of them without a lock, and then they are put together: PostgreSQL has no statement for that.
 */
export async function runOutsideStatement(session: Session, client: PoolClient, sql: string): Promise<void> {
  for (const text of (await creatingOnParts(session, sql)) ?? (await droppingOfAll(session, sql)) ?? [sql]) {
    await client.query(text);
  }
}

const partitionsOf = statement<[name: string]>(
  "outside_partitions",
  "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass($1) ORDER BY c.oid",
);

async function creatingOnParts(session: Session, sql: string): Promise<readonly string[] | null> {
  const [, unique = "", index = "", table = "", rest = ""] = CREATE.exec(sql) ?? [];
  const partitions = table === "" ? [] : (await session.rows(partitionsOf, [table])).map(([name]) => name);
  if (partitions.length === 0) {
    return null;
  }
  const indexOf = (partition: string) => quoteIdentifier(`${index}${partition.slice(table.length)}`);
  return [
    `CREATE ${unique}INDEX ${index} ON ONLY ${table} ${rest}`,
    ...partitions.flatMap((partition) => [
      // An interrupted migration left it.
      `DROP INDEX CONCURRENTLY IF EXISTS ${indexOf(partition)}`,
      `CREATE ${unique}INDEX CONCURRENTLY ${indexOf(partition)} ON ${quoteIdentifier(partition)} ${rest}`,
      `ALTER INDEX ${index} ATTACH PARTITION ${indexOf(partition)}`,
    ]),
  ];
}

const isOfPartitions = statement<[boolean]>(
  "outside_is_of_partitions",
  "SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($1) AND relkind = 'I')",
);

async function droppingOfAll(session: Session, sql: string): Promise<readonly string[] | null> {
  const [, index = ""] = DROP.exec(sql) ?? [];
  const [[isOfThem] = [false]] = index === "" ? [] : await session.rows(isOfPartitions, [index]);
  return isOfThem ? [`SET lock_timeout = ${LOCK_TIMEOUT_MS}`, `DROP INDEX ${index}`, "RESET lock_timeout"] : null;
}
