import type {
  AuditEntry,
  ChainSelection,
  Decide,
  DeletedSend,
  DeliveryRange,
  DeliveryStorage,
  NewSend,
  Send,
  SendAnalytics,
  SendAnalyticsQuery,
  SendChanges,
  SendCreated,
  SendPage,
  SendQuery,
  SendUpdated,
  TrackedDelivery,
} from "../delivery/index.ts";
import type { CreatedItem } from "../inbox/index.ts";
import type { MemoryKept } from "./memory-activity.ts";
import type { MemoryAudit } from "./memory-audit.ts";
import { memoryDeliveryLeases } from "./memory-delivery-leases.ts";
import { keepNotification } from "./memory-notification.ts";
import { MemorySend } from "./memory-send.ts";
import { analyticsOf, pageOf } from "./memory-send-queries.ts";
import type { MemorySends } from "./memory-sends.ts";
import type { MemoryTenants } from "./memory-tenants.ts";
import type { MemoryTransaction, MemoryTransactions } from "./memory-transactions.ts";

interface UsedKey {
  readonly bodyHash: string;
  readonly response: string;
  readonly at: Date;
}

/**
 * The delivery part of the memory storage. As in its inbox part, nothing awaits, so every method is one step of the event
 * loop. It looks at every send where a database would use an index.
 */
export class MemoryDeliveries implements DeliveryStorage<MemoryTransaction, void> {
  readonly leases: DeliveryStorage["leases"];
  readonly #tenants: MemoryTenants;
  readonly #transactions: MemoryTransactions;
  readonly #sends: MemorySends;
  readonly #keys = new Map<string, UsedKey>();
  readonly #audit: MemoryAudit;

  constructor({ tenants, sends, audit }: MemoryKept, transactions: MemoryTransactions) {
    this.#tenants = tenants;
    this.#transactions = transactions;
    this.#sends = sends;
    this.leases = memoryDeliveryLeases(sends);
    this.#audit = audit;
  }

  async createSends(sends: readonly NewSend[], at: Date): Promise<readonly SendCreated[]> {
    const kept = sends.map((send) => ({ send, kept: keepNotification(send.notification) }));
    return kept.map((one) => this.#create(one, at));
  }

  createSendWithin(tx: MemoryTransaction, send: NewSend, onCommit: (created: SendCreated) => void): void {
    const one = { send, kept: keepNotification(send.notification) };
    this.#transactions.join(tx, () => {
      const created = this.#create(one, send.notification.createdAt);
      return () => onCommit(created);
    });
  }

  async placeItems({ tenant, id }: Pick<Send, "tenant" | "id">, users: readonly string[], at: Date): Promise<readonly CreatedItem[]> {
    const owner = this.#tenants.of(tenant);
    const kept = owner.notification(id);
    if (!kept) {
      return [];
    }
    owner.deliver(
      kept,
      users.filter((user) => !kept.seqByUser.has(user)),
      at,
    );
    return owner.itemsOf(kept, users);
  }

  async findSend(tenant: string, id: string): Promise<Send | null> {
    return this.#sends.find(tenant, id)?.view() ?? null;
  }

  async listSends(tenant: string, query: SendQuery): Promise<SendPage> {
    return pageOf(this.#sends.of(tenant), query);
  }

  async deliveriesOf(tenant: string, ids: readonly string[], { offset, limit }: DeliveryRange): Promise<readonly TrackedDelivery[]> {
    return ids.flatMap(
      (id) =>
        this.#sends
          .find(tenant, id)
          ?.tracked()
          .slice(offset, offset + limit) ?? [],
    );
  }

  async countDeliveries(tenant: string, id: string): Promise<number> {
    return this.#sends.find(tenant, id)?.tracked().length ?? 0;
  }

  async countSends(tenant: string, query: SendAnalyticsQuery): Promise<SendAnalytics> {
    return analyticsOf(this.#sends.of(tenant), query);
  }

  async listAudit(tenant: string, query: { readonly limit: number; readonly before?: number }): Promise<readonly AuditEntry[]> {
    return this.#audit.newestFirst(tenant, query);
  }

  async updateSend(tenant: string, id: string, change: SendChanges & { readonly at: Date; readonly actor: string }): Promise<SendUpdated> {
    const send = this.#sends.find(tenant, id);
    if (!send) {
      return "unknown";
    }
    if (send.view().status !== "pending") {
      return "not_pending";
    }
    send.update(change, change.at);
    for (const [userId, seq] of send.kept.seqByUser) {
      this.#tenants.of(tenant).inbox(userId).touch(seq);
    }
    this.#audit.log(tenant, change.at, { action: "updated", actor: change.actor, notificationId: send.id });
    return { send: send.view() };
  }

  async deleteSend(tenant: string, id: string, { at, actor }: { readonly at: Date; readonly actor: string }): Promise<DeletedSend | null> {
    const send = this.#sends.find(tenant, id);
    if (!send) {
      return null;
    }
    this.#sends.remove(send);
    this.#audit.log(tenant, at, { action: "deleted", actor, notificationId: send.id });
    return { items: this.#tenants.of(tenant).forget(send.kept) };
  }

  async settle(selection: ChainSelection, at: Date, decide: Decide): Promise<void> {
    const { deliveries, attempts, sends, audit } = decide(this.#sends.load(selection, at), at);
    for (const delivery of deliveries) {
      this.#sends.replace(delivery);
    }
    for (const attempt of attempts) {
      const of = deliveries.find(({ id }) => id === attempt.deliveryId)?.notificationId;
      this.#sends.get(of ?? "")?.addAttempt(attempt);
    }
    for (const state of sends) {
      this.#sends.get(state.id)?.setState(state, at);
    }
    for (const entry of audit) {
      const tenant = this.#sends.get(entry.notificationId)?.kept.notification.tenant;
      this.#audit.log(tenant ?? "", at, entry);
    }
  }

  async pruneIdempotencyKeys(before: Date): Promise<void> {
    for (const [key, used] of this.#keys) {
      if (used.at < before) {
        this.#keys.delete(key);
      }
    }
  }

  #create({ send, kept }: { send: NewSend; kept: ReturnType<typeof keepNotification> }, at: Date): SendCreated {
    const { tenant, id } = kept.notification;
    const owner = this.#tenants.of(tenant);
    const known = owner.notification(id);
    if (known) {
      return { kind: "created", items: owner.itemsOf(known, send.inboxRecipients) };
    }
    const key = send.idempotency && JSON.stringify([tenant, send.idempotency.key]);
    const used = key === null ? undefined : this.#keys.get(key);
    if (used) {
      return { kind: "repeated", bodyHash: used.bodyHash, response: used.response };
    }
    if (key !== null && send.idempotency) {
      this.#keys.set(key, { bodyHash: send.idempotency.bodyHash, response: send.idempotency.response, at });
    }
    owner.keep(kept);
    const stored = new MemorySend(kept, send, at);
    this.#sends.add(stored);
    this.#audit.log(tenant, at, { action: "created", actor: send.actor, notificationId: id });
    return { kind: "created", items: owner.deliver(kept, send.inboxRecipients, kept.notification.createdAt) };
  }
}
