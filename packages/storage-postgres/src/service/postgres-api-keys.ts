import type { ApiKeyStorage } from "@belfry/core/storage";
import { type Bound, bind, run } from "../database/bind.ts";
import { prepareAddKey, prepareFindKey, prepareListKeys, prepareRevokeKey } from "./api-keys.ts";

/** API keys in PostgreSQL. */
export function postgresApiKeys(bound: Bound): ApiKeyStorage {
  return bind(bound, {
    add: run(prepareAddKey),
    find: run(prepareFindKey),
    list: run(prepareListKeys),
    revoke: run(prepareRevokeKey),
  });
}
