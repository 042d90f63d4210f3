import type {
  AuditEntry,
  CreatedItem,
  Send,
  SendAnalytics,
  SendAnalyticsQuery,
  SendChanges,
  SendPage,
  SendQuery,
  TrackedDelivery,
} from "@belfry/core";
import type {
  ChainSelection,
  ClaimedDelivery,
  ClaimRequest,
  Decide,
  DeletedSend,
  DeliveryStorage,
  Lease,
  NewSend,
  SendCreated,
  SendUpdated,
} from "@belfry/core/storage";
import type { HostTransactions } from "../creating/host-transactions.ts";
import type { Connection } from "../database/connection.ts";
import type { PostgresTransaction } from "../database/database-handle.ts";
import { wrapError } from "../database/errors.ts";
import type { DeliveryQueries } from "./delivery-queries.ts";

/** What deliveries work with while their storage is open. */
export interface OpenDeliveries {
  readonly connection: Connection;
  readonly deliveryQueries: DeliveryQueries;
  readonly hostTransactions: HostTransactions;
}

/** Whose clock decides what is due. */
export type TimeSource = "database" | "service";

/** Deliveries in PostgreSQL. */
export class PostgresDeliveries implements DeliveryStorage<PostgresTransaction, Promise<void>> {
  readonly #current: () => OpenDeliveries;
  readonly #time: TimeSource;

  /** @param current what is open at this moment; throws if nothing is */
  constructor(current: () => OpenDeliveries, time: TimeSource) {
    this.#current = current;
    this.#time = time;
  }

  createSends(sends: readonly NewSend[], at: Date): Promise<readonly SendCreated[]> {
    return this.#run(({ connection, deliveryQueries }) =>
      connection.transaction((session) => deliveryQueries.writeSends(session, sends, this.#at(at))),
    );
  }

  async createSendWithin(tx: PostgresTransaction, send: NewSend, onCommit: (created: SendCreated) => void): Promise<void> {
    const at = this.#at(send.notification.createdAt);
    await this.#current().hostTransactions.writeSend(tx, { send, at, onCommit });
  }

  placeItems(send: { readonly tenant: string; readonly id: string }, users: readonly string[], at: Date): Promise<readonly CreatedItem[]> {
    return this.#run(({ connection, deliveryQueries }) => deliveryQueries.placeItems(connection, send, { users, at: this.#at(at) }));
  }

  findSend(tenant: string, id: string): Promise<Send | null> {
    return this.#run(({ connection, deliveryQueries }) => deliveryQueries.findSend(connection, tenant, id));
  }

  listSends(tenant: string, query: SendQuery): Promise<SendPage> {
    return this.#run(({ connection, deliveryQueries }) => deliveryQueries.listSends(connection, tenant, query));
  }

  deliveriesOf(tenant: string, ids: readonly string[]): Promise<readonly TrackedDelivery[]> {
    return this.#run(({ connection, deliveryQueries }) => deliveryQueries.deliveriesOf(connection, tenant, ids));
  }

  countSends(tenant: string, query: SendAnalyticsQuery): Promise<SendAnalytics> {
    return this.#run(({ connection, deliveryQueries }) => deliveryQueries.countSends(connection, tenant, query));
  }

  listAudit(tenant: string, query: { readonly limit: number; readonly before?: number }): Promise<readonly AuditEntry[]> {
    return this.#run(({ connection, deliveryQueries }) => deliveryQueries.listAudit(connection, tenant, query));
  }

  updateSend(tenant: string, id: string, change: SendChanges & { readonly at: Date; readonly actor: string }): Promise<SendUpdated> {
    const name = { tenant, id, at: this.#at(change.at) };
    return this.#run(({ connection, deliveryQueries }) =>
      connection.transaction((session) => deliveryQueries.updateSend(session, name, change)),
    );
  }

  deleteSend(tenant: string, id: string, { at, actor }: { readonly at: Date; readonly actor: string }): Promise<DeletedSend | null> {
    const name = { tenant, id, at: this.#at(at) };
    return this.#run(({ connection, deliveryQueries }) =>
      connection.transaction((session) => deliveryQueries.deleteSend(session, name, actor)),
    );
  }

  claim(request: ClaimRequest): Promise<readonly ClaimedDelivery[]> {
    return this.#run(({ connection, deliveryQueries }) => deliveryQueries.claim(connection, request, this.#at(request.at)));
  }

  leasedTo(owner: string): Promise<readonly ClaimedDelivery[]> {
    return this.#run(({ connection, deliveryQueries }) => deliveryQueries.leasedTo(connection, owner));
  }

  renew(
    owner: string,
    leases: readonly Lease[],
    { at, leaseMs }: { readonly at: Date; readonly leaseMs: number },
  ): Promise<readonly Lease[]> {
    return this.#run(({ connection, deliveryQueries }) => deliveryQueries.renew(connection, leases, { owner, leaseMs, at: this.#at(at) }));
  }

  settle(selection: ChainSelection, at: Date, decide: Decide): Promise<void> {
    return this.#run(({ connection, deliveryQueries }) => deliveryQueries.settle(connection, selection, { at: this.#at(at), decide }));
  }

  nextDueInMs(at: Date): Promise<number | null> {
    return this.#run(({ connection, deliveryQueries }) => deliveryQueries.nextDue(connection, this.#at(at)));
  }

  pruneIdempotencyKeys(before: Date): Promise<void> {
    return this.#run(({ connection, deliveryQueries }) => deliveryQueries.pruneKeys(connection, before));
  }

  /** What statements take for now: the service's time, or null for the database's own. */
  #at(at: Date): string | null {
    return this.#time === "service" ? at.toISOString() : null;
  }

  async #run<Result>(work: (open: OpenDeliveries) => Promise<Result>): Promise<Result> {
    const open = this.#current();
    try {
      return await open.connection.retryingConflicts(() => work(open));
    } catch (error) {
      throw wrapError(error);
    }
  }
}
