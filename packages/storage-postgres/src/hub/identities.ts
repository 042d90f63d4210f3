import { type HubPage, type Identity, isUuid, type JsonObject } from "@belfry/core";
import { foldCase, type HubRange } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { type JsonRow, milliseconds, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { pageStatement, toPage } from "./page.ts";
import { digestOf } from "./rows.ts";

interface IdentityRow {
  readonly id: string;
  readonly tenant: string;
  readonly source: string;
  readonly source_id: string;
  readonly name: string;
  readonly metadata: JsonObject;
  readonly created_at: number;
  readonly updated_at: number;
}

const COLUMNS = `i.id, i.tenant, i.source, i.source_id, i.name, i.metadata, ${milliseconds("i.created_at")} AS created_at,
  ${milliseconds("i.updated_at")} AS updated_at`;

/** Writes an identity, or updates the one of the same source and id there. */
export function prepareUpsertIdentity({ identities }: TableNames) {
  // A row that no transaction ever locked or changed has no xmax: it was inserted.
  const upsert = statement<JsonRow<IdentityRow & { readonly is_new: boolean }>>(
    "upsert_identity",
    `WITH i AS (
      INSERT INTO ${identities} AS t (id, tenant, source, source_id, source_digest, name, folded_name, metadata, created_at, updated_at)
      VALUES ($1, $2, $3, $4, ${digestOf("$4")}, $5, $6, coalesce($7::json, '{}'), $8, $9)
      ON CONFLICT (tenant, source, source_digest) DO UPDATE
      SET name = excluded.name, folded_name = excluded.folded_name, metadata = coalesce($7::json, t.metadata), updated_at = excluded.updated_at
      RETURNING t.*, t.xmax = 0 AS is_new
    )
    SELECT to_json(x) FROM (SELECT ${COLUMNS}, i.is_new FROM i) x`,
  );
  return (identity: Omit<Identity, "metadata"> & { readonly metadata: JsonObject | null }) => async (session: Session) => {
    const { id, tenant, source, sourceId, name, createdAt, updatedAt } = identity;
    const metadata = identity.metadata === null ? null : JSON.stringify(identity.metadata);
    const times = [createdAt.toISOString(), updatedAt.toISOString()];
    const [row] = await session.rows(upsert, [id, tenant, source, sourceId, name, foldCase(name), metadata, ...times]);
    if (row === undefined) {
      throw new Error(`The identity ${sourceId} of ${source} was neither written nor updated.`);
    }
    return { identity: toIdentity(row[0]), isNew: row[0].is_new };
  };
}

/** Finds an identity by its id. */
export function prepareFindIdentity({ identities }: TableNames) {
  const find = statement<JsonRow<IdentityRow>>(
    "find_identity",
    `SELECT to_json(x) FROM (SELECT ${COLUMNS} FROM ${identities} i WHERE i.tenant = $1 AND i.id = $2) x`,
  );
  return (tenant: string, id: string) =>
    async (session: Session): Promise<Identity | null> => {
      const [row] = isUuid(id) ? await session.rows(find, [tenant, id]) : [];
      return row === undefined ? null : toIdentity(row[0]);
    };
}

/** Finds an identity by what its source calls it. */
export function prepareFindIdentityBySource({ identities }: TableNames) {
  const find = statement<JsonRow<IdentityRow>>(
    "find_identity_by_source",
    `SELECT to_json(x) FROM (
      SELECT ${COLUMNS} FROM ${identities} i WHERE i.tenant = $1 AND i.source = $2 AND i.source_digest = ${digestOf("$3")}) x`,
  );
  return (tenant: string, source: string, sourceId: string) =>
    async (session: Session): Promise<Identity | null> => {
      const [row] = await session.rows(find, [tenant, source, sourceId]);
      return row === undefined ? null : toIdentity(row[0]);
    };
}

/** Reads a page of identities, newest first. A search by name looks at all of the tenant's, or of the source's. */
export function prepareListIdentities({ identities }: TableNames) {
  const list = (operation: string, where: string) => {
    const counted = `${identities} i WHERE i.tenant = $1${where}`;
    return pageStatement<IdentityRow>(operation, {
      counted,
      rows: `SELECT ${COLUMNS}, i.pk FROM ${counted} ORDER BY i.created_at DESC, i.pk DESC LIMIT $2 OFFSET $3`,
      order: "r.created_at DESC, r.pk DESC",
    });
  };
  const all = list("list_identities", "");
  const bySource = list("list_identities_of_source", " AND i.source = $4");
  const byName = list("list_identities_by_name", " AND strpos(i.folded_name, $4) > 0");
  const byBoth = list("list_identities_by_both", " AND i.source = $4 AND strpos(i.folded_name, $5) > 0");
  return (tenant: string, { name, source, limit, offset }: HubRange & { readonly name?: string; readonly source?: string }) =>
    async (session: Session): Promise<HubPage<Identity>> => {
      const ofSource = name === undefined ? bySource : byBoth;
      const ofAny = name === undefined ? all : byName;
      const filters = [source, name === undefined ? undefined : foldCase(name)].filter((filter) => filter !== undefined);
      const rows = await session.rows(source === undefined ? ofAny : ofSource, [tenant, limit, offset, ...filters]);
      return toPage(rows, toIdentity);
    };
}

function toIdentity({ id, tenant, source, source_id, name, metadata, created_at, updated_at }: IdentityRow): Identity {
  const times = { createdAt: new Date(created_at), updatedAt: new Date(updated_at) };
  return { id, tenant, source, sourceId: source_id, name, metadata, ...times };
}
