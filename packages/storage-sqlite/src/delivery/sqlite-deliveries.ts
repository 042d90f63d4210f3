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
import type { CommitWatch } from "../database/commit-watch.ts";
import type { Connection } from "../database/connection.ts";
import type { SqliteTransaction } from "../database/database-handle.ts";
import type { DeliveryQueries } from "./delivery-queries.ts";

/** What deliveries work with while their storage is open. */
export interface OpenDeliveries {
  readonly connection: Connection;
  readonly deliveryQueries: DeliveryQueries;
  readonly hostTransactions: HostTransactions;
  readonly commits: CommitWatch;
}

/** Deliveries in SQLite: gives every operation its transaction. */
export class SqliteDeliveries implements DeliveryStorage<SqliteTransaction, void> {
  readonly #current: () => OpenDeliveries;

  /** @param current what is open at this moment; throws if nothing is */
  constructor(current: () => OpenDeliveries) {
    this.#current = current;
  }

  async createSends(sends: readonly NewSend[], at: Date): Promise<readonly SendCreated[]> {
    const { connection, deliveryQueries } = this.#current();
    return connection.write(() => sends.map((send) => deliveryQueries.writeSend(send, at).created));
  }

  createSendWithin(tx: SqliteTransaction, send: NewSend, onCommit: (created: SendCreated) => void): void {
    const { hostTransactions, commits } = this.#current();
    const transaction = hostTransactions.resolve(tx);
    const { created, isNew } = transaction.writeSend(send);
    commits.add({
      notification: send.notification,
      isNew,
      host: transaction.database,
      onCommit: () => onCommit(created),
      onOver: () => transaction.finish(),
    });
  }

  async placeItems(
    send: { readonly tenant: string; readonly id: string },
    users: readonly string[],
    at: Date,
  ): Promise<readonly CreatedItem[]> {
    const { connection, deliveryQueries } = this.#current();
    return connection.write(() => deliveryQueries.placeItems(send, users, at));
  }

  async findSend(tenant: string, id: string): Promise<Send | null> {
    const { connection, deliveryQueries } = this.#current();
    return connection.query(() => deliveryQueries.findSend(tenant, id));
  }

  async listSends(tenant: string, query: SendQuery): Promise<SendPage> {
    const { connection, deliveryQueries } = this.#current();
    return connection.read(() => deliveryQueries.listSends(tenant, query));
  }

  async deliveriesOf(tenant: string, ids: readonly string[]): Promise<readonly TrackedDelivery[]> {
    const { connection, deliveryQueries } = this.#current();
    return connection.read(() => deliveryQueries.deliveriesOf(tenant, ids));
  }

  async countSends(tenant: string, query: SendAnalyticsQuery): Promise<SendAnalytics> {
    const { connection, deliveryQueries } = this.#current();
    return connection.query(() => deliveryQueries.countSends(tenant, query));
  }

  async listAudit(tenant: string, query: { readonly limit: number; readonly before?: number }): Promise<readonly AuditEntry[]> {
    const { connection, deliveryQueries } = this.#current();
    return connection.query(() => deliveryQueries.listAudit(tenant, query));
  }

  async updateSend(tenant: string, id: string, change: SendChanges & { readonly at: Date; readonly actor: string }): Promise<SendUpdated> {
    const { connection, deliveryQueries } = this.#current();
    return connection.write(() => deliveryQueries.updateSend(tenant, id, change));
  }

  async deleteSend(tenant: string, id: string, by: { readonly at: Date; readonly actor: string }): Promise<DeletedSend | null> {
    const { connection, deliveryQueries } = this.#current();
    return connection.write(() => deliveryQueries.deleteSend(tenant, id, by));
  }

  async claim(request: ClaimRequest): Promise<readonly ClaimedDelivery[]> {
    const { connection, deliveryQueries } = this.#current();
    if (!(await connection.query(() => deliveryQueries.hasDue(request.at)))) {
      return [];
    }
    return connection.write(() => deliveryQueries.claim(request));
  }

  async leasedTo(owner: string): Promise<readonly ClaimedDelivery[]> {
    const { connection, deliveryQueries } = this.#current();
    return connection.read(() => deliveryQueries.leasedTo(owner));
  }

  async renew(
    owner: string,
    leases: readonly Lease[],
    options: { readonly at: Date; readonly leaseMs: number },
  ): Promise<readonly Lease[]> {
    const { connection, deliveryQueries } = this.#current();
    return connection.write(() => deliveryQueries.renew(owner, leases, options));
  }

  async settle(selection: ChainSelection, at: Date, decide: Decide): Promise<void> {
    const { connection, deliveryQueries } = this.#current();
    // Most of the time nothing is due, and nothing that was read waits for it: that is learned without a transaction.
    if ((await connection.query(() => deliveryQueries.selectChains(selection, at))).length === 0) {
      return;
    }
    await connection.write(() => deliveryQueries.settle(deliveryQueries.selectChains(selection, at), at, decide));
  }

  async nextDueInMs(at: Date): Promise<number | null> {
    const { connection, deliveryQueries } = this.#current();
    return connection.query(() => deliveryQueries.nextDue(at));
  }

  async pruneIdempotencyKeys(before: Date): Promise<void> {
    const { connection, deliveryQueries } = this.#current();
    return connection.write(() => deliveryQueries.pruneKeys(before));
  }
}
