import type { ApiKeyScope } from "@belfry/core";
import type { ApiKeyStorage, StoredApiKey } from "@belfry/core/storage";
import { type Bound, bind, run } from "../database/bind.ts";
import type { Session } from "../database/connection.ts";
import { milliseconds, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

type KeyRow = readonly [
  id: string,
  tenant: string,
  name: string,
  digest: string,
  scopes: readonly ApiKeyScope[],
  createdAt: number,
  revokedAt: number | null,
];

const COLUMNS = `id, tenant, name, digest, scopes, ${milliseconds("created_at")}, ${milliseconds("revoked_at")}`;

/** Keeps a new key. */
export function prepareAddKey({ apiKeys }: TableNames) {
  const insert = statement<[]>(
    "add_key",
    `INSERT INTO ${apiKeys} (id, tenant, name, digest, scopes, created_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
  );
  return ({ id, tenant, name, digest, scopes, createdAt, revokedAt }: StoredApiKey) =>
    async (session: Session): Promise<void> => {
      const times = [createdAt.toISOString(), revokedAt?.toISOString() ?? null];
      await session.rows(insert, [id, tenant, name, digest, JSON.stringify(scopes), ...times]);
    };
}

/** Finds a key by its id. */
export function prepareFindKey({ apiKeys }: TableNames) {
  const find = statement<KeyRow>("find_key", `SELECT ${COLUMNS} FROM ${apiKeys} WHERE id = $1`);
  return (id: string) =>
    async (session: Session): Promise<StoredApiKey | null> => {
      const [row] = await session.rows(find, [id]);
      return row === undefined ? null : toKey(row);
    };
}

/** Reads a tenant's keys, newest first. */
export function prepareListKeys({ apiKeys }: TableNames) {
  const list = statement<KeyRow>("list_keys", `SELECT ${COLUMNS} FROM ${apiKeys} WHERE tenant = $1 ORDER BY created_at DESC, id`);
  return (tenant: string) =>
    async (session: Session): Promise<readonly StoredApiKey[]> =>
      (await session.rows(list, [tenant])).map(toKey);
}

/** Revokes a key; again keeps the first time. */
export function prepareRevokeKey({ apiKeys }: TableNames) {
  const revoke = statement<[id: string]>(
    "revoke_key",
    `UPDATE ${apiKeys} SET revoked_at = coalesce(revoked_at, $3) WHERE tenant = $1 AND id = $2 RETURNING id`,
  );
  return (tenant: string, id: string, at: Date) =>
    async (session: Session): Promise<boolean> =>
      (await session.rows(revoke, [tenant, id, at.toISOString()])).length > 0;
}

function toKey([id, tenant, name, digest, scopes, createdAt, revokedAt]: KeyRow): StoredApiKey {
  return { id, tenant, name, digest, scopes, createdAt: new Date(createdAt), revokedAt: revokedAt === null ? null : new Date(revokedAt) };
}

/** API keys in PostgreSQL. */
export function postgresApiKeys(bound: Bound): ApiKeyStorage {
  return bind(bound, {
    add: run(prepareAddKey),
    find: run(prepareFindKey),
    list: run(prepareListKeys),
    revoke: run(prepareRevokeKey),
  });
}
