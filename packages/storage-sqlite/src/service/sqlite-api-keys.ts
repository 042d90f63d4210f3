import type { ApiKeyStorage } from "@belfry/core/storage";
import { bind, query, write } from "../database/bind.ts";
import type { Connection } from "../database/connection.ts";
import { prepareAddKey, prepareFindKey, prepareListKeys, prepareRevokeKey } from "./api-keys.ts";

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
