import type { CreatedItem, InboxItem, ItemRef } from "../inbox/index.ts";
import { MemoryInbox } from "./memory-inbox.ts";
import type { MemoryNotification } from "./memory-notification.ts";

/** One tenant's notifications and inboxes. */
export class MemoryTenant {
  readonly #tenant: string;
  readonly #notifications = new Map<string, MemoryNotification>();
  /** Ascending, so in the order of creation: a UUIDv7 starts with the time. */
  readonly #ids: string[] = [];
  readonly #inboxes = new Map<string, MemoryInbox>();

  constructor(tenant: string) {
    this.#tenant = tenant;
  }

  get inboxes(): Iterable<MemoryInbox> {
    return this.#inboxes.values();
  }

  /** The user's inbox; an empty one, which is not kept, for a user who never had an item. */
  inbox(userId: string): MemoryInbox {
    return this.#inboxes.get(userId) ?? new MemoryInbox({ tenant: this.#tenant, userId });
  }

  notification(id: string): MemoryNotification | undefined {
    return this.#notifications.get(id);
  }

  /** The number that `ref` has in the user's inbox, if the notification was ever there. */
  seqOf(userId: string, ref: ItemRef): number | undefined {
    return typeof ref === "string" ? this.#notifications.get(ref)?.seqByUser.get(userId) : ref.seq;
  }

  /** Keeps a notification that the tenant does not have yet, without any item. */
  keep(kept: MemoryNotification): void {
    const { id } = kept.notification;
    this.#notifications.set(id, kept);
    // Ids come nearly in order: the place is at the end or close to it.
    let place = this.#ids.length;
    while (place > 0 && (this.#ids[place - 1] ?? "") > id) {
      place -= 1;
    }
    this.#ids.splice(place, 0, id);
  }

  /** Puts a kept notification into inboxes. */
  deliver(kept: MemoryNotification, recipients: readonly string[], createdAt: Date): readonly CreatedItem[] {
    for (const userId of recipients) {
      const inbox = this.inbox(userId);
      this.#inboxes.set(userId, inbox);
      kept.seqByUser.set(userId, inbox.add(kept.notification, createdAt));
    }
    return this.itemsOf(kept, recipients);
  }

  /** Where the notification's items went, of those recipients that have one. */
  itemsOf({ seqByUser }: MemoryNotification, recipients: readonly string[]): readonly CreatedItem[] {
    return recipients.flatMap((userId) => {
      const seq = seqByUser.get(userId);
      return seq === undefined ? [] : [{ userId, seq, epoch: this.inbox(userId).epoch }];
    });
  }

  /** Forgets a notification and its items, and returns those that were not deleted before. */
  forget({ notification, seqByUser }: MemoryNotification): readonly (InboxItem & { readonly epoch: string })[] {
    this.#notifications.delete(notification.id);
    this.#ids.splice(this.#ids.indexOf(notification.id), 1);
    return [...seqByUser].flatMap(([userId, seq]) => {
      const inbox = this.inbox(userId);
      const item = inbox.purge(seq, notification.createdAt);
      return item === null ? [] : [{ ...item, epoch: inbox.epoch }];
    });
  }

  /** Whether the user has the notification's item and has read it. */
  isRead({ seqByUser }: MemoryNotification, userId: string): boolean {
    const seq = seqByUser.get(userId);
    return seq !== undefined && (this.inbox(userId).get(seq, { includeDeleted: true })?.readAt ?? null) !== null;
  }

  /** The tenant's notifications, newest first. */
  *newestFirst(): Iterable<MemoryNotification> {
    for (let index = this.#ids.length - 1; index >= 0; index -= 1) {
      const kept = this.#notifications.get(this.#ids[index] ?? "");
      if (kept) {
        yield kept;
      }
    }
  }
}
