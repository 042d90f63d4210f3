import type { Owner } from "@belfry/core";
import type { Session } from "../database/connection.ts";
import { isLockTimeout } from "../database/errors.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { BUSY_TIMEOUT_MS, LOCK_TIMEOUT_MS, lockGuard, NEW_EPOCH, newestBroadcast } from "./inbox-state.ts";

/** A table with a row for each key, which transactions of the host may hold for long. */
interface HeldRows<Key> {
  /** In the names of statements. */
  readonly name: string;
  readonly table: string;
  /** The columns of the key, which are texts. */
  readonly columns: readonly string[];
  /** The other columns of a row that is new, and their values: nobody sees such a row. */
  readonly others: { readonly columns: string; readonly values: string };
  textsOf(key: Key): readonly string[];
}

/**
 * Tells which rows other transactions hold at this moment, and waits for one of them. Neither holds anything
 * afterwards.
 */
export function prepareBusyRows<Key>({ name, table, columns, others, textsOf }: HeldRows<Key>) {
  const key = columns.join(", ");
  const given = `unnest(${columns.map((_, index) => `$${index + 1}::text[]`).join(", ")}) WITH ORDINALITY AS o(${key}, number)`;
  const own = (of: string) => columns.map((column, index) => `c.${column} = ${of === "o" ? `o.${column}` : `$${index + 1}`}`).join(" AND ");
  const timeout = `$${columns.length + 1}` as const;
  const missing = statement<[number: number]>(
    `missing_${name}`,
    `SELECT o.number::int FROM ${given} WHERE NOT EXISTS (SELECT FROM ${table} c WHERE ${own("o")})`,
  );
  // Waits for a transaction that makes the same row.
  const make = statement<[]>(
    `make_${name}`,
    `WITH ${lockGuard(timeout)}
    INSERT INTO ${table} (${key}, ${others.columns})
    SELECT ${columns.map((_, index) => `$${index + 1}`).join(", ")}, ${others.values} FROM guard WHERE guard.lock_timeout IS NOT NULL
    ON CONFLICT DO NOTHING`,
  );
  const free = statement<[number: number]>(
    `free_${name}`,
    `SELECT c.number::int FROM ${given}
    CROSS JOIN LATERAL (SELECT o.number FROM ${table} c WHERE ${own("o")} FOR NO KEY UPDATE SKIP LOCKED) c`,
  );
  const hold = statement<[]>(
    `await_${name}`,
    `WITH ${lockGuard(timeout)}
    SELECT held.one FROM guard CROSS JOIN LATERAL (
      SELECT 1 AS one FROM ${table} c WHERE guard.lock_timeout IS NOT NULL AND ${own("$")} FOR NO KEY UPDATE
    ) held`,
  );

  const isFreeToMake = async (session: Session, one: Key): Promise<boolean> => {
    try {
      await session.rows(make, [...textsOf(one), BUSY_TIMEOUT_MS]);
      return true;
    } catch (error) {
      if (isLockTimeout(error)) {
        return false;
      }
      throw error;
    }
  };

  /** Finds the held rows. It makes a row that is not there, to learn whether another transaction makes it. */
  const find = async (session: Session, keys: readonly Key[]): Promise<readonly Key[]> => {
    const texts = keys.map(textsOf);
    const values = columns.map((_, index) => texts.map((one) => one[index]));
    const busy = new Set<Key>();
    for (const [number] of await session.rows(missing, values)) {
      const one = keys[number - 1];
      if (one && !(await isFreeToMake(session, one))) {
        busy.add(one);
      }
    }
    const numbers = new Set((await session.rows(free, values)).map(([number]) => number));
    return keys.filter((one, index) => busy.has(one) || !numbers.has(index + 1));
  };

  /** Resolves once the row is free, even for a moment; rejects with PostgreSQL's lock timeout if it stays held. */
  const wait = async (session: Session, one: Key): Promise<void> => {
    await session.rows(make, [...textsOf(one), LOCK_TIMEOUT_MS]);
    await session.rows(hold, [...textsOf(one), LOCK_TIMEOUT_MS]);
  };

  /** Waits for one of the rows that are held, and returns whether any is. */
  const waitForFirst = async (session: Session, keys: readonly Key[]): Promise<boolean> => {
    const [first] = await find(session, keys);
    if (first !== undefined) {
      await wait(session, first);
    }
    return first !== undefined;
  };

  return { find, wait, waitForFirst };
}

/** Tells which inboxes are held, and waits for one: see {@link prepareBusyRows}. */
export function prepareBusyInboxes(tables: TableNames) {
  return prepareBusyRows<Owner>({
    ...{ name: "inbox", table: tables.inboxCounters, columns: ["tenant", "user_id"] },
    others: {
      columns: "last_seq, total, unread, read_up_to_seq, epoch, began_after",
      values: `0, 0, 0, 0, ${NEW_EPOCH}, ${newestBroadcast(tables, "$1")}`,
    },
    textsOf: ({ tenant, userId }) => [tenant, userId],
  });
}

/** How often to try a batch of which something is held before all of it counts as busy. */
const BUSY_ATTEMPTS = 5;

/** Writes the entries that need nothing that others hold, and answers the others with null. */
export async function writeFree<Entry, Written>(
  entries: readonly Entry[],
  {
    write,
    freeOf,
  }: {
    write(free: readonly Entry[], lockTimeoutMs: number): Promise<readonly Written[]>;
    freeOf(entries: readonly Entry[]): Promise<readonly Entry[]>;
  },
): Promise<readonly (Written | null)[]> {
  let free = entries;
  for (let attempt = 1; free.length > 0 && attempt <= BUSY_ATTEMPTS; attempt += 1) {
    try {
      const written = await write(free, BUSY_TIMEOUT_MS);
      if (free === entries) {
        return written;
      }
      const byEntry = new Map(free.map((entry, index) => [entry, written[index]]));
      return entries.map((entry) => byEntry.get(entry) ?? null);
    } catch (error) {
      if (!isLockTimeout(error)) {
        throw error;
      }
    }
    free = await freeOf(free);
  }
  return entries.map(() => null);
}

/** Writes entries, and holds nothing while it waits for what others hold, so that nobody else has to wait for them. */
export async function writeWaiting<Written>({
  isAlone,
  write,
  waitForFirst,
}: {
  /** Whether there is only one row that others may hold: then the write itself may wait for it. */
  readonly isAlone: boolean;
  write(lockTimeoutMs: number): Promise<Written>;
  waitForFirst(): Promise<unknown>;
}): Promise<Written> {
  if (isAlone) {
    return write(LOCK_TIMEOUT_MS);
  }
  const deadline = performance.now() + LOCK_TIMEOUT_MS;
  for (;;) {
    try {
      return await write(BUSY_TIMEOUT_MS);
    } catch (error) {
      if (!isLockTimeout(error) || performance.now() > deadline) {
        throw error;
      }
    }
    await waitForFirst();
  }
}
