import type { Owner } from "../foundation/owner.ts";
import type { PageBounds } from "../foundation/page-bounds.ts";
import type {
  CreatedItem,
  FanOutChunk,
  InboxCounts,
  InboxItem,
  InboxPage,
  InboxPosition,
  InboxQuery,
  InboxStorage,
  InboxSweep,
  InboxTail,
  ItemAbsence,
  ItemRef,
  ItemsChange,
  NewNotification,
} from "../inbox/index.ts";
import type { MemoryInbox } from "./memory-inbox.ts";
import { keepNotification, type MemoryNotification } from "./memory-notification.ts";
import type { MemoryTenant } from "./memory-tenant.ts";
import type { MemoryTenants } from "./memory-tenants.ts";
import type { MemoryTransaction, MemoryTransactions } from "./memory-transactions.ts";

/** An entry that was copied and can no longer fail; of a fan-out, one chunk of it. */
interface KeptEntry {
  readonly kept: MemoryNotification;
  readonly recipients: readonly string[];
}

/**
 * The inbox part of the memory storage. Nothing in here awaits, so every method is one step of the event loop and no
 * other call can come in between: that is its isolation.
 */
export class MemoryInboxStorage implements InboxStorage<MemoryTransaction, void> {
  readonly #tenants: MemoryTenants;
  readonly #chunks: KeptEntry[] = [];
  readonly #transactions: MemoryTransactions;

  constructor(tenants: MemoryTenants, transactions: MemoryTransactions) {
    this.#tenants = tenants;
    this.#transactions = transactions;
  }

  async createMany(entries: readonly NewNotification[]): Promise<readonly (readonly CreatedItem[])[]> {
    // All are copied before any is written: copying is what can fail.
    const kept = entries.map(keepEntry);
    return kept.map((entry) => this.#write(entry));
  }

  createWithin(tx: MemoryTransaction, entry: NewNotification, onCommit: (items: readonly CreatedItem[]) => void): void {
    const kept = keepEntry(entry);
    this.#transactions.join(tx, () => {
      const items = this.#write(kept);
      return () => onCommit(items);
    });
  }

  async createFanOut(entry: NewNotification, chunkSize: number): Promise<void> {
    const { kept, recipients } = keepEntry(entry);
    const tenant = this.#tenant(kept.notification.tenant);
    if (tenant.notification(kept.notification.id)) {
      return;
    }
    tenant.keep(kept);
    for (let start = 0; start < recipients.length; start += chunkSize) {
      this.#chunks.push({ kept, recipients: recipients.slice(start, start + chunkSize) });
    }
  }

  async fanOutNext(at: Date): Promise<FanOutChunk | null> {
    const chunk = this.#chunks.shift();
    if (!chunk) {
      return null;
    }
    const { notification } = chunk.kept;
    const items = this.#tenant(notification.tenant).deliver(chunk.kept, chunk.recipients, at);
    return { notification: { ...notification, createdAt: new Date(notification.createdAt) }, items };
  }

  async list(owner: Owner, query: InboxQuery): Promise<InboxPage> {
    return this.#inbox(owner).page(query);
  }

  async listAfter(owner: Owner, seq: number, page: PageBounds): Promise<InboxTail> {
    return this.#inbox(owner).after(seq, page);
  }

  async listTenant(tenantId: string, limit: number): Promise<readonly InboxItem[]> {
    const tenant = this.#tenant(tenantId);
    const items: InboxItem[] = [];
    for (const { seqByUser } of tenant.newestFirst()) {
      for (const [userId, seq] of seqByUser) {
        if (items.length >= limit) {
          return items;
        }
        const item = tenant.inbox(userId).get(seq);
        if (item) {
          items.push(item);
        }
      }
    }
    return items;
  }

  async get(owner: Owner, ref: ItemRef, options?: { readonly includeDeleted?: boolean }): Promise<InboxItem | null> {
    const seq = this.#tenant(owner.tenant).seqOf(owner.userId, ref);
    return seq === undefined ? null : this.#inbox(owner).get(seq, options);
  }

  async absence(owner: Owner, ref: ItemRef): Promise<ItemAbsence> {
    if ((await this.get(owner, ref, { includeDeleted: true })) !== null) {
      return "deleted";
    }
    const known = typeof ref === "string" && this.#tenant(owner.tenant).notification(ref) !== undefined;
    return known ? "foreign" : "unknown";
  }

  async counts(owner: Owner): Promise<InboxCounts> {
    return this.#inbox(owner).counts();
  }

  async positions(owners: readonly Owner[]): Promise<readonly InboxPosition[]> {
    return owners.map((owner) => {
      const { lastSeq, epoch } = this.#inbox(owner).counts();
      return { seq: lastSeq, epoch };
    });
  }

  async markRead(owner: Owner, refs: readonly ItemRef[], at: Date): Promise<ItemsChange> {
    return this.#inbox(owner).markRead(this.#seqs(owner, refs), at);
  }

  async markUnread(owner: Owner, refs: readonly ItemRef[]): Promise<ItemsChange> {
    return this.#inbox(owner).markUnread(this.#seqs(owner, refs));
  }

  async markAllRead(owner: Owner, at: Date): Promise<InboxSweep> {
    return this.#inbox(owner).markAllRead(at);
  }

  async remove(owner: Owner, refs: readonly ItemRef[], at: Date): Promise<ItemsChange> {
    return this.#inbox(owner).remove(this.#seqs(owner, refs), at);
  }

  async removeRead(owner: Owner, at: Date): Promise<InboxSweep> {
    return this.#inbox(owner).removeRead(at);
  }

  async renewEpochs(): Promise<void> {
    for (const tenant of this.#tenants.all()) {
      for (const inbox of tenant.inboxes) {
        inbox.renewEpoch();
      }
    }
  }

  #write({ kept, recipients }: KeptEntry): readonly CreatedItem[] {
    const { notification } = kept;
    const tenant = this.#tenant(notification.tenant);
    const known = tenant.notification(notification.id);
    if (known) {
      return tenant.itemsOf(known, recipients);
    }
    tenant.keep(kept);
    return tenant.deliver(kept, recipients, notification.createdAt);
  }

  #tenant(tenantId: string): MemoryTenant {
    return this.#tenants.of(tenantId);
  }

  #inbox({ tenant, userId }: Owner): MemoryInbox {
    return this.#tenant(tenant).inbox(userId);
  }

  #seqs({ tenant, userId }: Owner, refs: readonly ItemRef[]): readonly number[] {
    return refs.flatMap((ref) => this.#tenant(tenant).seqOf(userId, ref) ?? []);
  }
}

function keepEntry({ notification, recipients }: NewNotification): KeptEntry {
  return { kept: keepNotification(notification), recipients: [...recipients] };
}
