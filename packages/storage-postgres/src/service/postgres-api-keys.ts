import type { ApiKeyStorage, StoredApiKey } from "@belfry/core/storage";
import { wrapError } from "../database/errors.ts";
import type { OpenDeliveries } from "../delivery/postgres-deliveries.ts";

/** API keys in PostgreSQL. */
export class PostgresApiKeys implements ApiKeyStorage {
  readonly #current: () => Pick<OpenDeliveries, "connection" | "deliveryQueries">;

  /** @param current what is open at this moment; throws if nothing is */
  constructor(current: () => Pick<OpenDeliveries, "connection" | "deliveryQueries">) {
    this.#current = current;
  }

  add(key: StoredApiKey): Promise<void> {
    return this.#run(({ connection, deliveryQueries: { apiKeys } }) => apiKeys.add(connection, key));
  }

  find(id: string): Promise<StoredApiKey | null> {
    return this.#run(({ connection, deliveryQueries: { apiKeys } }) => apiKeys.find(connection, id));
  }

  list(tenant: string): Promise<readonly StoredApiKey[]> {
    return this.#run(({ connection, deliveryQueries: { apiKeys } }) => apiKeys.list(connection, tenant));
  }

  revoke(tenant: string, id: string, at: Date): Promise<boolean> {
    return this.#run(({ connection, deliveryQueries: { apiKeys } }) => apiKeys.revoke(connection, { tenant, id }, at));
  }

  async #run<Result>(work: (open: Pick<OpenDeliveries, "connection" | "deliveryQueries">) => Promise<Result>): Promise<Result> {
    const open = this.#current();
    try {
      return await open.connection.retryingConflicts(() => work(open));
    } catch (error) {
      throw wrapError(error);
    }
  }
}
