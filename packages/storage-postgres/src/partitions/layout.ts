import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** The table that can be partitioned, by ranges of the key of its deliveries, which PostgreSQL gives out in the order of time. */
export const ATTEMPTS = { name: "belfry_delivery_attempts", key: "delivery_pk" } as const;

/** The check that lets PostgreSQL close a table without reading it under a lock. */
export const BOUND = "belfry_partition_bound";

/** A table with the attempts of deliveries from one key on, and before another one; null where it has no such limit. */
export interface Part {
  readonly name: string;
  readonly from: number | null;
  readonly before: number | null;
}

/** The part that takes all later deliveries: the last partition, or the table itself as long as it has none. */
export interface OpenPart extends Part {
  readonly before: null;
  /** How many bytes it has. */
  readonly bytes: number;
  /** The key before which it is to end, and whether PostgreSQL knows that no row contradicts that; null before a closing has begun. */
  readonly bound: { readonly before: number; readonly isChecked: boolean } | null;
}

/** How attempts are kept. */
export interface Layout {
  readonly isPartitioned: boolean;
  readonly open: OpenPart;
  readonly closed: readonly (Part & { readonly before: number })[];
  /** The last key that there is. */
  readonly last: number;
  /** The last key that a delivery got: those to come get later ones. */
  readonly given: number;
}

type PartRow = readonly [name: string, range: string | null, bytes: number, check: string | null, isChecked: boolean | null];

/** Reads how attempts are kept, in the schema that is the search path. */
export async function readLayout(session: Session, tables: TableNames): Promise<Layout> {
  const rows = await session.rows(parts, [ATTEMPTS.name, BOUND]);
  const [[last, given] = [0, 0]] = await session.rows(await lastKeys(session, tables), []);
  const read = rows.map(([name, range, bytes, check, isChecked]) => {
    const bound = check === null ? null : { before: numberIn(/ < '?(\d+)/, check) ?? 0, isChecked: isChecked === true };
    return { name, from: numberIn(/FROM \('(\d+)'\)/, range), before: numberIn(/TO \('(\d+)'\)/, range), bytes, bound };
  });
  const open = read.find(({ before }) => before === null);
  if (open === undefined) {
    throw new Error(`No partition of ${ATTEMPTS.name} takes the deliveries to come: make one up to MAXVALUE.`);
  }
  return {
    isPartitioned: open.name !== ATTEMPTS.name,
    open: { ...open, before: null },
    closed: read.flatMap(({ name, from, before }) => (before === null ? [] : [{ name, from, before }])),
    last,
    given,
  };
}

const parts = statement<PartRow>(
  "partition_parts",
  `SELECT c.relname, pg_get_expr(c.relpartbound, c.oid), pg_relation_size(c.oid), pg_get_constraintdef(k.oid), k.convalidated
  FROM pg_class c LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.conname = $2
  WHERE (c.oid = $1::regclass AND c.relkind = 'r') OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = $1::regclass)
  ORDER BY c.oid`,
);

/** Reads the last keys. It fails for a user who may not read the sequence, rather than to take it for unused. */
async function lastKeys(session: Session, { deliveries, deliveryAttempts }: TableNames) {
  const sequence = statement<[name: string]>("partition_sequence", "SELECT pg_get_serial_sequence($1, 'pk')");
  const [[name] = [""]] = await session.rows(sequence, [deliveries]);
  return statement<[last: number, given: number]>(
    "partition_last_keys",
    `SELECT greatest(last_value, (SELECT max(pk) FROM ${deliveries}), (SELECT max(${ATTEMPTS.key}) FROM ${deliveryAttempts})), last_value FROM ${name}`,
  );
}

function numberIn(pattern: RegExp, text: string | null): number | null {
  const found = pattern.exec(text ?? "")?.[1];
  return found === undefined ? null : Number(found);
}
