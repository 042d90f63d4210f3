import { type Identity, isUuid } from "@belfry/core";
import { foldCase, type HubStorage } from "@belfry/core/storage";
import { type Fields, fieldsOf } from "../database/fields.ts";
import { filteredBy, type Sql } from "../database/sql.ts";

type IdentityStorage = Pick<HubStorage, "upsertIdentity" | "findIdentity" | "findIdentityBySource" | "listIdentities" | "deleteIdentity">;

/** How often an upsert is tried, in case somebody deletes the identity between its insert and its update. */
const MAX_TRIES = 10;

/** Identities in a SQL database. */
export function identityStorage(sql: Sql): IdentityStorage {
  const { identities } = sql.tables;
  const fields = fieldsOf<Identity>(sql.schema.identities, sql, ["pk", "sourceDigest", "foldedName"]);
  const columns = fields.columns("i");
  const hasSourceId = `${sql.sourceKey.column} = ${sql.sourceKey.of("$3")}`;
  const find = async (name: string, where: string, values: readonly unknown[]) => {
    const [row] = await sql.rows(name, `SELECT ${columns} FROM ${identities} i WHERE i.tenant = $1 AND ${where}`, values);
    return row === undefined ? null : fields.record(row);
  };
  return {
    async upsertIdentity({ metadata, ...identity }) {
      const { tenant, source, sourceId, name, updatedAt } = identity;
      const record = { ...identity, metadata: metadata ?? {} };
      const set = "name = $4, folded_name = $5, metadata = coalesce($6, metadata), updated_at = $7";
      const update = `UPDATE ${identities} SET ${set} WHERE tenant = $1 AND source = $2 AND ${hasSourceId} RETURNING ${fields.columns()}`;
      const given = metadata === null ? null : JSON.stringify(metadata);
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const [made] = await sql.rows("create_identity", createText(sql, fields), [...fields.values(record), foldCase(name)]);
        if (made !== undefined) {
          return { identity: fields.record(made), isNew: true };
        }
        const [row] = await sql.rows("update_identity", update, [tenant, source, sourceId, name, foldCase(name), given, updatedAt]);
        if (row !== undefined) {
          return { identity: fields.record(row), isNew: false };
        }
      }
      throw new Error(`The identity ${sourceId} of ${source} was neither written nor updated.`);
    },
    async deleteIdentity(tenant, id) {
      const text = `DELETE FROM ${identities} WHERE tenant = $1 AND id = $2 RETURNING id`;
      return isUuid(id) && (await sql.rows("delete_identity", text, [tenant, id.toLowerCase()])).length > 0;
    },
    findIdentity: async (tenant, id) => (isUuid(id) ? find("find_identity", "i.id = $2", [tenant, id.toLowerCase()]) : null),
    findIdentityBySource: (tenant, source, sourceId) =>
      find("find_identity_by_source", `i.source = $2 AND ${hasSourceId}`, [tenant, source, sourceId]),
    // A search by name scans all of the tenant's or source's identities.
    async listIdentities(tenant, { name, source, limit, offset }) {
      const { and, values } = filteredBy([
        [source, (given) => `i.source = ${given}`],
        [name === undefined ? undefined : foldCase(name), (given) => sql.contains("i.folded_name", given)],
      ]);
      const counted = `${identities} i WHERE i.tenant = $1${and}`;
      const rows = `SELECT ${columns}, i.pk FROM ${counted} ORDER BY i.created_at DESC, i.pk DESC LIMIT $2 OFFSET $3`;
      const parts = { counted, rows, order: '"createdAt" DESC, pk DESC' };
      const { items, total } = await sql.page("list_identities", parts, [tenant, limit, offset, ...values]);
      return { items: items.map(fields.record), total };
    },
  };
}

/** Takes the fields, then the folded name. Keeps an existing identity. */
function createText({ sourceKey: { column, of }, tables: { identities } }: Sql, fields: Fields<Identity>): string {
  const [names, values] = column === "source_id" ? ["", ""] : [`, ${column}`, `, ${of(fields.parameter("sourceId"))}`];
  return `INSERT INTO ${identities} (${fields.names}, folded_name${names}) VALUES (${fields.parameters}, $${fields.all.length + 1}${values})
    ON CONFLICT (tenant, source, ${column}) DO NOTHING RETURNING ${fields.columns()}`;
}
