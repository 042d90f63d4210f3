import type { ApiKeyScope } from "@belfry/core";
import type { ApiKeyStorage, StoredApiKey } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import { bind, query, write } from "../database/bind.ts";
import type { Connection } from "../database/connection.ts";
import type { QueryContext } from "../database/statement.ts";

interface KeyRow {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly digest: string;
  readonly scopes: string;
  readonly created_at: number;
  readonly revoked_at: number | null;
}

const COLUMNS = sql.raw("id, tenant, name, digest, scopes, created_at, revoked_at");

/** Keeps a new key. */
export function prepareAddKey({ prepare }: QueryContext) {
  const insert = prepare<Omit<KeyRow, "created_at" | "revoked_at"> & { readonly createdAt: number; readonly revokedAt: number | null }>(sql`
    insert into belfry_api_keys (${COLUMNS}) values (${sql.placeholder("id")}, ${sql.placeholder("tenant")}, ${sql.placeholder("name")},
      ${sql.placeholder("digest")}, ${sql.placeholder("scopes")}, ${sql.placeholder("createdAt")}, ${sql.placeholder("revokedAt")})`);
  return ({ scopes, createdAt, revokedAt, ...key }: StoredApiKey): void => {
    insert.run({ ...key, scopes: JSON.stringify(scopes), createdAt: createdAt.getTime(), revokedAt: revokedAt?.getTime() ?? null });
  };
}

/** Finds a key by its id. */
export function prepareFindKey({ prepare }: QueryContext) {
  const find = prepare<{ readonly id: string }, KeyRow>(sql`select ${COLUMNS} from belfry_api_keys where id = ${sql.placeholder("id")}`);
  return (id: string): StoredApiKey | null => {
    const row = find.get({ id });
    return row === undefined ? null : toKey(row);
  };
}

/** Reads a tenant's keys, newest first. */
export function prepareListKeys({ prepare }: QueryContext) {
  const list = prepare<{ readonly tenant: string }, KeyRow>(sql`
    select ${COLUMNS} from belfry_api_keys where tenant = ${sql.placeholder("tenant")} order by created_at desc, rowid desc`);
  return (tenant: string): readonly StoredApiKey[] => list.all({ tenant }).map(toKey);
}

/** Revokes a key; again keeps the first time. */
export function prepareRevokeKey({ prepare }: QueryContext) {
  const revoke = prepare<{ readonly tenant: string; readonly id: string; readonly at: number }>(sql`
    update belfry_api_keys set revoked_at = coalesce(revoked_at, ${sql.placeholder("at")})
    where tenant = ${sql.placeholder("tenant")} and id = ${sql.placeholder("id")}`);
  return (tenant: string, id: string, at: Date): boolean => revoke.run({ tenant, id, at: at.getTime() }).changes > 0;
}

function toKey({ created_at, revoked_at, scopes, ...row }: KeyRow): StoredApiKey {
  return {
    ...row,
    scopes: JSON.parse(scopes) as readonly ApiKeyScope[],
    createdAt: new Date(created_at),
    revokedAt: revoked_at === null ? null : new Date(revoked_at),
  };
}

/**
 * API keys in SQLite.
 *
 * @param current what is open at this moment; throws if nothing is
 */
export function sqliteApiKeys(current: () => { readonly connection: Connection }): ApiKeyStorage {
  return bind(current, {
    add: write(prepareAddKey),
    find: query(prepareFindKey),
    list: query(prepareListKeys),
    revoke: write(prepareRevokeKey),
  });
}
