import type { ApiKeyScope } from "@belfry/core";
import type { StoredApiKey } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { milliseconds } from "../delivery/rows.ts";

type KeyRow = readonly [
  id: string,
  tenant: string,
  name: string,
  digest: string,
  scopes: readonly ApiKeyScope[],
  createdAt: number,
  revokedAt: number | null,
];

/** Every operation on API keys. */
export function prepareApiKeys({ apiKeys }: TableNames) {
  const columns = `id, tenant, name, digest, scopes, ${milliseconds("created_at")}, ${milliseconds("revoked_at")}`;
  const insert = statement<[]>(
    "add_key",
    `INSERT INTO ${apiKeys} (id, tenant, name, digest, scopes, created_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
  );
  const find = statement<KeyRow>("find_key", `SELECT ${columns} FROM ${apiKeys} WHERE id = $1`);
  const list = statement<KeyRow>("list_keys", `SELECT ${columns} FROM ${apiKeys} WHERE tenant = $1 ORDER BY created_at DESC, id`);
  const revoke = statement<[id: string]>(
    "revoke_key",
    `UPDATE ${apiKeys} SET revoked_at = coalesce(revoked_at, $3) WHERE tenant = $1 AND id = $2 RETURNING id`,
  );
  return {
    async add(session: Session, { id, tenant, name, digest, scopes, createdAt, revokedAt }: StoredApiKey): Promise<void> {
      const times = [createdAt.toISOString(), revokedAt?.toISOString() ?? null];
      await session.rows(insert, [id, tenant, name, digest, JSON.stringify(scopes), ...times]);
    },
    async find(session: Session, id: string): Promise<StoredApiKey | null> {
      const [row] = await session.rows(find, [id]);
      return row === undefined ? null : toKey(row);
    },
    async list(session: Session, tenant: string): Promise<readonly StoredApiKey[]> {
      return (await session.rows(list, [tenant])).map(toKey);
    },
    async revoke(session: Session, key: { readonly tenant: string; readonly id: string }, at: Date): Promise<boolean> {
      return (await session.rows(revoke, [key.tenant, key.id, at.toISOString()])).length > 0;
    },
  };
}

function toKey([id, tenant, name, digest, scopes, createdAt, revokedAt]: KeyRow): StoredApiKey {
  return { id, tenant, name, digest, scopes, createdAt: new Date(createdAt), revokedAt: revokedAt === null ? null : new Date(revokedAt) };
}
