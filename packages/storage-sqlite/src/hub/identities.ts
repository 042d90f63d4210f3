import type { HubPage, Identity, JsonObject } from "@belfry/core";
import { foldCase, type HubRange } from "@belfry/core/storage";
import { type SQL, sql } from "drizzle-orm";
import type { QueryContext } from "../database/statement.ts";

interface IdentityRow {
  readonly id: string;
  readonly tenant: string;
  readonly source: string;
  readonly source_id: string;
  readonly name: string;
  readonly metadata: string;
  readonly created_at: number;
  readonly updated_at: number;
}

const COLUMNS = sql.raw("id, tenant, source, source_id, name, metadata, created_at, updated_at");

/** Writes an identity, or updates the one of the same source and id there; inside a transaction that the caller opened. */
export function prepareUpsertIdentity({ prepare }: QueryContext) {
  interface Values extends Pick<Identity, "id" | "tenant" | "source" | "sourceId" | "name"> {
    readonly foldedName: string;
    readonly metadata: string | null;
    readonly createdAt: number;
    readonly updatedAt: number;
  }
  const update = prepare<Values, IdentityRow>(sql`
    update belfry_identities set name = ${sql.placeholder("name")}, folded_name = ${sql.placeholder("foldedName")},
      metadata = coalesce(${sql.placeholder("metadata")}, metadata), updated_at = ${sql.placeholder("updatedAt")}
    where tenant = ${sql.placeholder("tenant")} and source = ${sql.placeholder("source")} and source_id = ${sql.placeholder("sourceId")}
    returning ${COLUMNS}`);
  const insert = prepare<Values>(sql`
    insert into belfry_identities (id, tenant, source, source_id, name, folded_name, metadata, created_at, updated_at)
    values (${sql.placeholder("id")}, ${sql.placeholder("tenant")}, ${sql.placeholder("source")}, ${sql.placeholder("sourceId")},
      ${sql.placeholder("name")}, ${sql.placeholder("foldedName")}, coalesce(${sql.placeholder("metadata")}, '{}'), ${sql.placeholder("createdAt")},
      ${sql.placeholder("updatedAt")})`);
  return (identity: Omit<Identity, "metadata"> & { readonly metadata: JsonObject | null }) => {
    const metadata = identity.metadata === null ? null : JSON.stringify(identity.metadata);
    const { id, tenant, source, sourceId, name, createdAt, updatedAt } = identity;
    const values = { id, tenant, source, sourceId, name, foldedName: foldCase(name), metadata };
    const times = { createdAt: createdAt.getTime(), updatedAt: updatedAt.getTime() };
    const [known] = update.all({ ...values, ...times });
    if (known !== undefined) {
      return { identity: toIdentity(known), isNew: false };
    }
    insert.run({ ...values, ...times });
    const written = { ...identity, metadata: JSON.parse(metadata ?? "{}") as JsonObject };
    return { identity: { ...written, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) }, isNew: true };
  };
}

/** Finds an identity by its id. */
export function prepareFindIdentity({ prepare }: QueryContext) {
  const find = prepare<{ readonly tenant: string; readonly id: string }, IdentityRow>(sql`
    select ${COLUMNS} from belfry_identities where tenant = ${sql.placeholder("tenant")} and id = ${sql.placeholder("id")}`);
  return (tenant: string, id: string): Identity | null => toIdentityOrNull(find.get({ tenant, id: id.toLowerCase() }));
}

/** Finds an identity by what its source calls it. */
export function prepareFindIdentityBySource({ prepare }: QueryContext) {
  const find = prepare<Pick<Identity, "tenant" | "source" | "sourceId">, IdentityRow>(sql`
    select ${COLUMNS} from belfry_identities
    where tenant = ${sql.placeholder("tenant")} and source = ${sql.placeholder("source")} and source_id = ${sql.placeholder("sourceId")}`);
  return (tenant: string, source: string, sourceId: string): Identity | null => toIdentityOrNull(find.get({ tenant, source, sourceId }));
}

interface Filters {
  readonly tenant: string;
  readonly source: string | undefined;
  readonly name: string | undefined;
}

const CONDITIONS: Readonly<Record<keyof Filters, SQL>> = {
  tenant: sql`tenant = ${sql.placeholder("tenant")}`,
  source: sql`source = ${sql.placeholder("source")}`,
  name: sql`instr(folded_name, ${sql.placeholder("name")}) > 0`,
};

/** Reads a page of identities, newest first. A search by name looks at all of the tenant's, or of the source's. */
export function prepareListIdentities({ prepare }: QueryContext) {
  const statements = (...names: readonly (keyof Filters)[]) => {
    const where = sql.join(
      names.map((name) => CONDITIONS[name]),
      sql` and `,
    );
    return {
      count: prepare<Filters, { readonly total: number }>(sql`select count(*) as total from belfry_identities where ${where}`),
      page: prepare<Filters & HubRange, IdentityRow>(sql`
        select ${COLUMNS} from belfry_identities where ${where} order by created_at desc, pk desc
        limit ${sql.placeholder("limit")} offset ${sql.placeholder("offset")}`),
    };
  };
  const all = statements("tenant");
  const bySource = statements("tenant", "source");
  const byName = statements("tenant", "name");
  const byBoth = statements("tenant", "source", "name");
  return (
    tenant: string,
    { name, source, limit, offset }: HubRange & { readonly name?: string; readonly source?: string },
  ): HubPage<Identity> => {
    const ofSource = name === undefined ? bySource : byBoth;
    const ofAny = name === undefined ? all : byName;
    const { count, page } = source === undefined ? ofAny : ofSource;
    const filters = { tenant, source, name: name === undefined ? undefined : foldCase(name) };
    return { items: page.all({ ...filters, limit, offset }).map(toIdentity), total: count.get(filters)?.total ?? 0 };
  };
}

function toIdentity({ source_id, metadata, created_at, updated_at, ...row }: IdentityRow): Identity {
  const times = { createdAt: new Date(created_at), updatedAt: new Date(updated_at) };
  return { ...row, sourceId: source_id, metadata: JSON.parse(metadata) as JsonObject, ...times };
}

function toIdentityOrNull(row: IdentityRow | undefined): Identity | null {
  return row === undefined ? null : toIdentity(row);
}
