import type { Owner } from "@belfry/core";
import type { PresenceStorage } from "@belfry/core/storage";
import { wrapError } from "../database/errors.ts";
import type { OpenDeliveries } from "../delivery/postgres-deliveries.ts";

/** Who is connected to which instance, in PostgreSQL. */
export class PostgresPresence implements PresenceStorage {
  readonly #current: () => Pick<OpenDeliveries, "connection" | "deliveryQueries">;

  /** @param current what is open at this moment; throws if nothing is */
  constructor(current: () => Pick<OpenDeliveries, "connection" | "deliveryQueries">) {
    this.#current = current;
  }

  announce(
    instance: string,
    change: { readonly joined: readonly Owner[]; readonly left: readonly Owner[] },
    leaseMs: number,
  ): Promise<void> {
    return this.#run(({ connection, deliveryQueries: { presence } }) => presence.announce(connection, instance, { ...change, leaseMs }));
  }

  renew(instance: string, leaseMs: number): Promise<void> {
    return this.#run(({ connection, deliveryQueries: { presence } }) => presence.renew(connection, instance, leaseMs));
  }

  leave(instance: string): Promise<void> {
    return this.#run(({ connection, deliveryQueries: { presence } }) => presence.leave(connection, instance));
  }

  online(owners: readonly Owner[]): Promise<readonly boolean[]> {
    return this.#run(({ connection, deliveryQueries: { presence } }) => presence.online(connection, owners));
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
