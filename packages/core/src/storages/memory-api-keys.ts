import type { ApiKeyStorage, StoredApiKey } from "../service/api-key-storage.ts";

/** The API keys part of the memory storage. */
export class MemoryApiKeys implements ApiKeyStorage {
  readonly #keys = new Map<string, StoredApiKey>();

  async add(key: StoredApiKey): Promise<void> {
    this.#keys.set(key.id, { ...key, scopes: [...key.scopes] });
  }

  async find(id: string): Promise<StoredApiKey | null> {
    return this.#keys.get(id) ?? null;
  }

  async list(tenant: string): Promise<readonly StoredApiKey[]> {
    return [...this.#keys.values()].filter((key) => key.tenant === tenant).toReversed();
  }

  async revoke(tenant: string, id: string, at: Date): Promise<boolean> {
    const key = this.#keys.get(id);
    if (key?.tenant !== tenant) {
      return false;
    }
    this.#keys.set(id, { ...key, revokedAt: key.revokedAt ?? new Date(at) });
    return true;
  }
}
