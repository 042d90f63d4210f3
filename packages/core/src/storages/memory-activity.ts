import { type AuditEntry, INBOX_CHANNEL, type NewAuditEntry } from "../delivery/index.ts";
import type { InboxItem } from "../inbox/index.ts";
import { compareBytewise } from "../notifications/index.ts";
import type {
  ActivityContent,
  ActivityFilter,
  ActivityItems,
  ActivityQuery,
  ActivityStorage,
  ActivitySummary,
  ChannelHealth,
  HealthWindow,
} from "../operator/index.ts";
import type { MemoryAudit } from "./memory-audit.ts";
import { healthOf } from "./memory-health.ts";
import type { MemoryNotification } from "./memory-notification.ts";
import type { MemorySend } from "./memory-send.ts";
import type { MemorySends } from "./memory-sends.ts";
import type { MemoryTenants } from "./memory-tenants.ts";

const EXCERPT_LENGTH = 200;
const SHOWN_RECIPIENTS = 3;
const MAX_COUNTED_RECIPIENTS = 1_000;

/** What the memory storage keeps that an operator looks at. */
export interface MemoryKept {
  readonly tenants: MemoryTenants;
  readonly sends: MemorySends;
  readonly audit: MemoryAudit;
}

/** What an operator asks of the memory storage. It looks at everything where a database would use an index. */
export class MemoryActivity implements ActivityStorage {
  readonly #kept: MemoryKept;

  constructor(kept: MemoryKept) {
    this.#kept = kept;
  }

  async search(tenant: string, { after, limit, ...filter }: ActivityQuery): Promise<readonly ActivitySummary[]> {
    const found: ActivitySummary[] = [];
    for (const kept of this.#matching(tenant, filter)) {
      if (found.length === limit) {
        break;
      }
      if (after === undefined || kept.notification.id < after) {
        found.push(this.#summary(kept));
      }
    }
    return found;
  }

  async count(tenant: string, filter: ActivityFilter, max: number): Promise<number> {
    let count = 0;
    for (const _ of this.#matching(tenant, filter)) {
      if (count === max) {
        break;
      }
      count += 1;
    }
    return count;
  }

  async find(tenant: string, id: string): Promise<ActivityContent | null> {
    const kept = this.#kept.tenants.of(tenant).notification(id);
    if (kept === undefined) {
      return null;
    }
    const { message, data, source, sender } = kept.notification;
    return { summary: this.#summary(kept), message, data, source, sender };
  }

  async itemsOf(tenant: string, id: string, limit: number): Promise<ActivityItems> {
    const owner = this.#kept.tenants.of(tenant);
    const users = usersOf(owner.notification(id));
    const items = users.flatMap((userId): InboxItem[] => {
      const seq = owner.seqOf(userId, id);
      const item = seq === undefined ? null : owner.inbox(userId).get(seq);
      return item ? [item] : [];
    });
    return { items: items.slice(0, limit), total: items.length, read: items.filter(({ readAt }) => readAt !== null).length };
  }

  async auditOf(tenant: string, id: string, limit: number): Promise<readonly AuditEntry[]> {
    return this.#kept.audit.of(tenant, id).slice(0, limit);
  }

  async note(tenant: string, entry: NewAuditEntry, at: Date): Promise<void> {
    this.#kept.audit.log(tenant, at, entry);
  }

  async health(tenant: string, window: HealthWindow, at: Date): Promise<readonly ChannelHealth[]> {
    return healthOf(this.#kept.sends.ofTenant(tenant), window, at);
  }

  *#matching(tenant: string, filter: ActivityFilter): Iterable<MemoryNotification> {
    for (const kept of this.#kept.tenants.of(tenant).newestFirst()) {
      if (this.#matches(kept, filter)) {
        yield kept;
      }
    }
  }

  #matches(kept: MemoryNotification, { id, kind, recipient, type, channel, status, from, before }: ActivityFilter): boolean {
    const { notification } = kept;
    const send = this.#kept.sends.get(notification.id);
    return (
      (id === undefined || notification.id === id) &&
      (kind === undefined || notification.kind === kind) &&
      (recipient === undefined || isFor(kept, send, recipient)) &&
      (type === undefined || typeOf(kept) === type) &&
      (channel === undefined || channelsOf(kept, send).includes(channel)) &&
      (status === undefined || send?.view().status === status) &&
      (from === undefined || notification.createdAt >= from) &&
      (before === undefined || notification.createdAt < before)
    );
  }

  #summary(kept: MemoryNotification): ActivitySummary {
    const { id, kind, title, message, createdAt } = kept.notification;
    const send = this.#kept.sends.get(id);
    const recipients = send?.details.recipients ?? usersOf(kept);
    return {
      id,
      kind,
      type: typeOf(kept),
      title,
      excerpt: [...message.slice(0, 2 * EXCERPT_LENGTH)].slice(0, EXCERPT_LENGTH).join(""),
      recipients: recipients.slice(0, SHOWN_RECIPIENTS),
      recipientCount: send ? recipients.length : Math.min(recipients.length, MAX_COUNTED_RECIPIENTS),
      channels: channelsOf(kept, send),
      status: send?.view().status ?? null,
      createdAt: new Date(createdAt),
    };
  }
}

/** The users whose inboxes it came into, by name. */
function usersOf(kept: MemoryNotification | undefined): readonly string[] {
  return [...(kept?.seqByUser.keys() ?? [])].sort(compareBytewise);
}

function typeOf({ notification }: MemoryNotification): string {
  return notification.kind === "event" ? (notification.source ?? "") : notification.type;
}

function isFor({ notification, seqByUser }: MemoryNotification, send: MemorySend | undefined, recipient: string): boolean {
  if (notification.kind === "event") {
    return notification.sender === recipient;
  }
  return seqByUser.has(recipient) || (send?.deliveries.some((delivery) => delivery.recipient === recipient) ?? false);
}

function channelsOf({ notification }: MemoryNotification, send: MemorySend | undefined): readonly string[] {
  if (send === undefined) {
    return notification.kind === "message" ? [INBOX_CHANNEL] : [];
  }
  const fallback = send.deliveries.find(({ isFallback }) => isFallback)?.channel;
  return [...new Set([...send.details.channels, ...(fallback === undefined ? [] : [fallback])])];
}
