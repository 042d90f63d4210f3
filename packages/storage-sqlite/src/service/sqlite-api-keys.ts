import type { ApiKeyStorage, StoredApiKey } from "@belfry/core/storage";
import type { OpenDeliveries } from "../delivery/sqlite-deliveries.ts";

/** API keys in SQLite: gives every operation its transaction. */
export class SqliteApiKeys implements ApiKeyStorage {
  readonly #current: () => Pick<OpenDeliveries, "connection" | "deliveryQueries">;

  /** @param current what is open at this moment; throws if nothing is */
  constructor(current: () => Pick<OpenDeliveries, "connection" | "deliveryQueries">) {
    this.#current = current;
  }

  async add(key: StoredApiKey): Promise<void> {
    const { connection, deliveryQueries } = this.#current();
    return connection.write(() => deliveryQueries.apiKeys.add(key));
  }

  async find(id: string): Promise<StoredApiKey | null> {
    const { connection, deliveryQueries } = this.#current();
    return connection.query(() => deliveryQueries.apiKeys.find(id));
  }

  async list(tenant: string): Promise<readonly StoredApiKey[]> {
    const { connection, deliveryQueries } = this.#current();
    return connection.query(() => deliveryQueries.apiKeys.list(tenant));
  }

  async revoke(tenant: string, id: string, at: Date): Promise<boolean> {
    const { connection, deliveryQueries } = this.#current();
    return connection.write(() => deliveryQueries.apiKeys.revoke(tenant, id, at));
  }
}
