import type { ApiKeyStorage, StoredApiKey } from "@belfry/core/storage";
import { fieldsOf } from "../database/fields.ts";
import type { Sql } from "../database/sql.ts";

/** API keys in a SQL database. */
export function apiKeyStorage(sql: Sql): ApiKeyStorage {
  const { apiKeys } = sql.tables;
  const fields = fieldsOf<StoredApiKey>(sql.schema.apiKeys, sql);
  const read = `SELECT ${fields.columns("k")} FROM ${apiKeys} k`;
  return {
    async add(key) {
      await sql.rows("add_key", `INSERT INTO ${apiKeys} (${fields.names}) VALUES (${fields.parameters}) RETURNING id`, fields.values(key));
    },
    async find(id) {
      const [row] = await sql.rows("find_key", `${read} WHERE k.id = $1`, [id]);
      return row === undefined ? null : fields.record(row);
    },
    async list(tenant) {
      const rows = await sql.rows("list_keys", `${read} WHERE k.tenant = $1 ORDER BY k.created_at DESC, k.id`, [tenant]);
      return rows.map(fields.record);
    },
    async revoke(tenant, id, at) {
      const revoke = `UPDATE ${apiKeys} SET revoked_at = coalesce(revoked_at, $3) WHERE tenant = $1 AND id = $2 RETURNING id`;
      return (await sql.rows("revoke_key", revoke, [tenant, id, at])).length > 0;
    },
  };
}
