/** The actions that a key allows. `write` does not include `read`. */
export type ApiKeyScope = "read" | "write";

/** A stored API key. It has only a digest of the key itself. */
export interface StoredApiKey {
  /** The part of the key that names it; safe to show. */
  readonly id: string;
  readonly tenant: string;
  /** Its purpose, in the host's words. */
  readonly name: string;
  /** SHA-256 of the whole key, lowercase hex. */
  readonly digest: string;
  readonly scopes: readonly ApiKeyScope[];
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}

/** The API keys part of a storage. */
export interface ApiKeyStorage {
  add(key: StoredApiKey): Promise<void>;
  /** The key of this id, revoked or not; null when there is none. */
  find(id: string): Promise<StoredApiKey | null>;
  /** A tenant's keys, newest first. */
  list(tenant: string): Promise<readonly StoredApiKey[]>;
  /** Revokes a tenant's key; false when it has none of that id. Again keeps the first time. */
  revoke(tenant: string, id: string, at: Date): Promise<boolean>;
}
