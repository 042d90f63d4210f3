import type { ActivityQuery, ActivityStorage, StateFilter, StoredSummary } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";

/** The filter of a search without what is looked up before it. */
export interface SqlFilter extends Omit<StateFilter, "providerId" | "idempotencyKey" | "recipientPrefix"> {
  /** The ways in which the beginning of a recipient is written, at least one. */
  readonly spellings?: readonly string[];
}

/** A search that takes what was looked up. */
export interface SqlSearch {
  search(tenant: string, query: SqlFilter & Pick<ActivityQuery, "after" | "limit">): Promise<readonly StoredSummary[]>;
  count(tenant: string, filter: SqlFilter, max: number): Promise<number>;
}

/** Comes after whatever follows the beginning of a text. */
export const MAX_TEXT = "\u{10FFFF}";

/** How many notifications a provider's id, or the beginning of an idempotency key, leads to. */
const MAX_IDS = 50;
/** How many attempts of all tenants with one provider's id are looked at. */
const MAX_ATTEMPTS = 1_000;

/** Looks up what leads to a few notifications, and the spellings of a beginning, before the search for the rest. */
export function lookingUp(sql: Sql, inner: SqlSearch): Pick<ActivityStorage, "search" | "count" | "recipientsLike"> {
  const lookUp = async (
    tenant: string,
    { providerId, idempotencyKey, recipientPrefix, ...filter }: StateFilter,
  ): Promise<Looked | null> => {
    const lists = await Promise.all([
      ...(providerId === undefined ? [] : [idsOfProvider(sql, tenant, providerId)]),
      ...(idempotencyKey === undefined ? [] : [idsOfKey(sql, tenant, idempotencyKey)]),
    ]);
    const spellings = recipientPrefix === undefined ? null : await spellingsOf(sql, tenant, recipientPrefix);
    if (spellings?.length === 0) {
      return null;
    }
    const ids = lists.length === 0 ? null : (lists[0] ?? []).filter((id) => lists.every((list) => list.includes(id)));
    const ofFilter = ids?.filter((id) => filter.id === undefined || filter.id === id).sort((one, other) => (one < other ? 1 : -1));
    return { filter: spellings === null ? filter : { ...filter, spellings }, ids: ofFilter ?? null };
  };
  return {
    recipientsLike: (tenant, beginning, limit) => recipientsLike(sql, { tenant, beginning, limit }),
    async search(tenant, { after, limit, ...wanted }) {
      const looked = await lookUp(tenant, wanted);
      if (looked === null) {
        return [];
      }
      if (looked.ids === null) {
        return inner.search(tenant, { ...looked.filter, limit, ...(after === undefined ? {} : { after }) });
      }
      const found: StoredSummary[] = [];
      for (const id of looked.ids.filter((one) => after === undefined || one < after)) {
        if (found.length < limit) {
          found.push(...(await inner.search(tenant, { ...looked.filter, id, limit: 1 })));
        }
      }
      return found;
    },
    async count(tenant, wanted, max) {
      const looked = await lookUp(tenant, wanted);
      if (looked === null) {
        return 0;
      }
      if (looked.ids === null) {
        return inner.count(tenant, looked.filter, max);
      }
      let found = 0;
      for (const id of looked.ids) {
        found += await inner.count(tenant, { ...looked.filter, id }, 1);
      }
      return Math.min(found, max);
    },
  };
}

interface Looked {
  readonly filter: SqlFilter;
  /** The only notifications that may match, newest first; null for all. */
  readonly ids: readonly string[] | null;
}

async function idsOfProvider(sql: Sql, tenant: string, providerId: string): Promise<readonly string[]> {
  const { deliveryAttempts, deliveries, notifications } = sql.tables;
  const bare = providerId.replace(/^<|>$/g, "");
  const attempts = `SELECT a.delivery_pk FROM ${deliveryAttempts} a WHERE ${sql.isIn("a.message_id", "$2", "text")} LIMIT ${MAX_ATTEMPTS}`;
  const text = `SELECT DISTINCT n.id FROM (${attempts}) listed ${sql.join} ${deliveries} d ON d.pk = listed.delivery_pk
    ${sql.join} ${notifications} n ON n.pk = d.notification_pk WHERE n.tenant = $1 LIMIT ${MAX_IDS}`;
  const values = [tenant, JSON.stringify([...new Set([providerId, bare, `<${bare}>`])])];
  return (await sql.rows<{ readonly id: string }>("ids_of_provider", text, values)).map(({ id }) => id);
}

async function idsOfKey(sql: Sql, tenant: string, key: string): Promise<readonly string[]> {
  const [low, high] = [sql.cast("$2", "text"), sql.cast("$3", "text")];
  const text = `SELECT k.notification_id AS id FROM ${sql.tables.idempotencyKeys} k
    WHERE k.tenant = $1 AND k.key >= ${low} AND k.key <= ${high} AND k.notification_id IS NOT NULL ORDER BY k.key LIMIT ${MAX_IDS}`;
  return (await sql.rows<{ readonly id: string }>("ids_of_key", text, [tenant, key, key + MAX_TEXT])).map(({ id }) => id);
}

/** How many letters are tried at once, in every mix of cases. */
const LETTERS_AT_ONCE = 4;
/** How many spellings of one beginning are looked for. */
const MAX_SPELLINGS = 16;

/**
 * Finds in which cases the letters of a beginning are written, if anything begins with it: letter by letter, each step along the indexes that
 * searches use. No index has all names in one case, which would cost every delivery.
 */
export async function spellingsOf(sql: Sql, tenant: string, beginning: string): Promise<readonly string[]> {
  const { deliveries, inboxItems, events } = sql.tables;
  const begins = (table: string, column: string) => `EXISTS (SELECT 1 FROM ${table} t
    WHERE t.tenant = $1 AND t.${column} >= e.value AND t.${column} <= e.value || '${MAX_TEXT}')`;
  const text = `SELECT e.value AS spelling FROM ${sql.texts("$2")}
    WHERE ${begins(deliveries, "recipient")} OR ${begins(inboxItems, "user_id")} OR ${begins(events, "sender")} LIMIT ${MAX_SPELLINGS}`;
  let known: readonly string[] = [""];
  for (const part of beginning.match(new RegExp(`(?:[^a-z]*[a-z]){1,${LETTERS_AT_ONCE}}[^a-z]*|[^a-z]+`, "gi")) ?? []) {
    const tried = known.flatMap((start) => casesOf(part).map((end) => start + end));
    const rows = await sql.rows<{ readonly spelling: string }>("spellings", text, [tenant, JSON.stringify(tried)]);
    known = rows.map(({ spelling }) => spelling);
  }
  return known;
}

/** A text with its letters A to Z in every mix of cases. */
function casesOf(text: string): readonly string[] {
  return [...text].reduce<readonly string[]>(
    (starts, letter) => {
      const cases = /[a-z]/i.test(letter) ? [letter.toLowerCase(), letter.toUpperCase()] : [letter];
      return starts.flatMap((start) => cases.map((one) => start + one));
    },
    [""],
  );
}

interface Beginning {
  readonly tenant: string;
  readonly beginning: string;
  readonly limit: number;
}

/** Steps from one name to the next along each index, so that a name with many deliveries costs what one with a single delivery does. */
async function recipientsLike(sql: Sql, { tenant, beginning, limit }: Beginning): Promise<readonly string[]> {
  const { deliveries, inboxItems, events } = sql.tables;
  const names = new Set<string>();
  for (const spelling of await spellingsOf(sql, tenant, beginning)) {
    for (const [table, column] of [
      [deliveries, "recipient"],
      [inboxItems, "user_id"],
      [events, "sender"],
    ] as const) {
      const values = [tenant, spelling, spelling + MAX_TEXT];
      const rows = await sql.rows<{ readonly name: string }>("names_like", namesAlong(sql, { table, column, limit }), values);
      for (const { name } of rows) {
        names.add(name);
      }
    }
  }
  return [...names].slice(0, limit);
}

/** $1 the tenant, $2 and $3 the first and the last text that begins so. */
function namesAlong(
  sql: Sql,
  { table, column, limit }: { readonly table: string; readonly column: string; readonly limit: number },
): string {
  const [low, high] = [sql.cast("$2", "text"), sql.cast("$3", "text")];
  const next = (than: string) =>
    `(SELECT t.${column} FROM ${table} t WHERE t.tenant = $1 AND t.${column} ${than} AND t.${column} <= ${high} ORDER BY t.${column} LIMIT 1)`;
  return `WITH RECURSIVE names(name) AS (
      SELECT ${next(`>= ${low}`)} UNION ALL SELECT ${next("> names.name")} FROM names WHERE names.name IS NOT NULL)
    SELECT name FROM names WHERE name IS NOT NULL LIMIT ${limit}`;
}
