import { BelfryError } from "@belfry/core";
import type { PoolClient } from "pg";
import type { Session } from "../database/connection.ts";
import { namesOfMoving } from "../database/moving-tenants.ts";
import { statement } from "../database/statement.ts";
import { quoteIdentifier } from "../database/table-names.ts";
import { ATTEMPTS, BOUND, type Layout, type OpenPart } from "./layout.ts";

const { name: TABLE, key: KEY } = ATTEMPTS;

/** A transaction that changes how attempts are kept. */
export interface Place {
  readonly session: Session;
  readonly client: PoolClient;
  readonly layout: Layout;
}

/** The statement that has a table refuse rows outside of its range from now on. */
export function bind({ name, from }: OpenPart, before: number): string {
  const limits = [...(from === null ? [] : [`${KEY} >= ${from}`]), `${KEY} < ${before}`];
  return `ALTER TABLE ${quoteIdentifier(name)} ADD CONSTRAINT ${BOUND} CHECK (${limits.join(" AND ")}) NOT VALID`;
}

/** The statement that takes a bound away. */
export function unbind({ name }: OpenPart): string {
  return `ALTER TABLE ${quoteIdentifier(name)} DROP CONSTRAINT ${BOUND}`;
}

/** Makes the open part one that ends before a key, and an empty one that takes all later deliveries. */
export async function closePart({ session, client, layout: { isPartitioned, open } }: Place, before: number): Promise<void> {
  if (isPartitioned) {
    await client.query(`ALTER TABLE ${TABLE} DETACH PARTITION ${quoteIdentifier(open.name)}`);
  } else {
    await putTableAround(session, client);
  }
  const closed = quoteIdentifier(isPartitioned ? open.name : partFrom(0));
  const next = quoteIdentifier(partFrom(before));
  const grants = await session.rows(grantsOf, [TABLE]);
  for (const text of [
    // Where the check of its rows is done, PostgreSQL sees from the constraint that it need not read them again.
    `ALTER TABLE ${TABLE} ATTACH PARTITION ${closed} FOR VALUES FROM (${open.from ?? "MINVALUE"}) TO (${before})`,
    `ALTER TABLE ${closed} DROP CONSTRAINT IF EXISTS ${BOUND}`,
    `CREATE TABLE ${next} PARTITION OF ${TABLE} FOR VALUES FROM (${before}) TO (MAXVALUE)`,
    ...(await ownerOf(session, next)),
    ...grants.map(([privilege, grantee, option]) => `GRANT ${privilege} ON ${next} TO ${grantee}${option}`),
  ]) {
    await client.query(text);
  }
}

/** The name of the partition that begins with a key. */
function partFrom(key: number): string {
  return `${TABLE}_p${key}`;
}

const grantsOf = statement<[privilege: string, grantee: string, option: string]>(
  "partition_grants",
  `SELECT privilege_type, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
    CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
  FROM pg_class, aclexplode(relacl) WHERE oid = $1::regclass AND grantee <> relowner`,
);

/** The statements that make a table belong to whom the table of attempts belongs. */
export async function ownerOf(session: Session, table: string): Promise<readonly string[]> {
  const owner = statement<[owner: string]>(
    "partition_owner",
    "SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class WHERE oid = $1::regclass AND pg_get_userbyid(relowner) <> current_user",
  );
  return (await session.rows(owner, [TABLE])).map(([name]) => `ALTER TABLE ${table} OWNER TO ${name}`);
}

/** Renames the table to the first partition, and makes a partitioned one of its name, with the same keys, indexes, owner and rights. */
async function putTableAround(session: Session, client: PoolClient): Promise<void> {
  await client.query(`LOCK TABLE ${TABLE} IN ACCESS EXCLUSIVE MODE`);
  await requireAlone(session);
  const first = partFrom(0);
  const [constraints, indexes, grants] = [
    await session.rows(constraintsOf, [TABLE]),
    await session.rows(indexesOf, [TABLE]),
    await session.rows(grantsOf, [TABLE]),
  ];
  const renamed = (name: string) => quoteIdentifier(`${name}_p0`);
  const owner = await ownerOf(session, TABLE);
  for (const text of [
    `ALTER TABLE ${TABLE} RENAME TO ${first}`,
    ...constraints.map(([name]) => `ALTER TABLE ${first} RENAME CONSTRAINT ${quoteIdentifier(name)} TO ${renamed(name)}`),
    ...indexes.map(([name]) => `ALTER INDEX ${quoteIdentifier(name)} RENAME TO ${renamed(name)}`),
    `CREATE TABLE ${TABLE} (LIKE ${first} INCLUDING COMMENTS INCLUDING COMPRESSION INCLUDING DEFAULTS INCLUDING STORAGE) PARTITION BY RANGE (${KEY})`,
    ...constraints.map(([name, text]) => `ALTER TABLE ${TABLE} ADD CONSTRAINT ${quoteIdentifier(name)} ${text}`),
    ...indexes.map(([, text]) => text),
    ...owner,
    ...grants.map(([privilege, grantee, option]) => `GRANT ${privilege} ON ${TABLE} TO ${grantee}${option}`),
  ]) {
    await client.query(text);
  }
}

const constraintsOf = statement<[name: string, definition: string]>(
  "partition_constraints",
  "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::regclass AND contype IN ('p', 'u', 'f') ORDER BY contype DESC",
);

const indexesOf = statement<[name: string, definition: string]>(
  "partition_indexes",
  `SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE i.indrelid = $1::regclass AND i.indisvalid AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)`,
);

const invalidIndexes = statement<[isThere: boolean]>(
  "partition_invalid_indexes",
  "SELECT EXISTS (SELECT FROM pg_index WHERE indrelid = $1::regclass AND NOT indisvalid)",
);

/** Whether an index of a part is being built, or was left unfinished. */
export async function hasInvalidIndex(session: Session, { name }: OpenPart): Promise<boolean> {
  const [[isThere] = [false]] = await session.rows(invalidIndexes, [quoteIdentifier(name)]);
  return isThere;
}

const dependentsOf = statement<[what: string]>(
  "partition_dependents",
  `SELECT 'the view ' || r.ev_class::regclass FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1::regclass
  UNION SELECT 'the trigger ' || tgname FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal
  UNION SELECT 'the policy ' || polname FROM pg_policy WHERE polrelid = $1::regclass
  UNION SELECT 'row level security' FROM pg_class WHERE oid = $1::regclass AND relrowsecurity
  UNION SELECT 'the rights on the column ' || attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND attacl IS NOT NULL
  UNION SELECT 'the publication ' || pubname FROM pg_publication_tables
    WHERE to_regclass(quote_ident(schemaname) || '.' || quote_ident(tablename)) = $1::regclass
  UNION SELECT 'the unique index ' || indexrelid::regclass FROM pg_index WHERE indrelid = $1::regclass AND indisunique
    AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = indrelid AND attname = '${KEY}' AND attnum = ANY(indkey))
  UNION SELECT 'the foreign key ' || conname FROM pg_constraint WHERE confrelid = $1::regclass
  UNION SELECT 'the table ' || inhrelid::regclass FROM pg_inherits WHERE inhparent = $1::regclass
  ORDER BY 1`,
);

/**
 * Makes sure that nothing of the host's would go on with the first partition alone, as if it were the whole table, such as a key that is unique over all
 * attempts.
 *
 * @throws BelfryError `INVALID_STATE` while a tenant moves, `CONFIGURATION` for anything else, which it names
 */
export async function requireAlone(session: Session): Promise<void> {
  const [moving] = await session.rows(statement<[tenant: string]>("partition_moving", namesOfMoving("belfry_deliveries")), []);
  if (moving !== undefined) {
    throw new BelfryError("INVALID_STATE", `The tenant "${moving[0]}" moves to or from this database: partition it after that.`);
  }
  const dependents = await session.rows(dependentsOf, [TABLE]);
  if (dependents.length > 0) {
    const names = dependents.map(([what]) => what).join(", ");
    throw new BelfryError(
      "CONFIGURATION",
      `${TABLE} cannot be partitioned, because these would go on with its first partition: ${names}. Drop them, and make them again after that.`,
    );
  }
}
