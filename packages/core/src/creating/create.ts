import type { CreatedItem, NewNotification } from "../inbox/inbox-storage.ts";
import type { UntypedCreateInput } from "../notifications/create-input.ts";
import type { Notification } from "../notifications/notification.ts";
import type { InboxSignal } from "../realtime/transport.ts";
import type { Context } from "../service/context.ts";
import { type CreateRules, parseCreate } from "./parse-create.ts";

/** The most recipients that one transaction of Belfry's own writes; longer lists are fanned out in chunks. */
export const MAX_AT_ONCE = 1_000;

/** How many items one chunk of a fan-out writes: few enough that a synchronous database blocks for a moment only. */
const FAN_OUT_CHUNK = 250;

/** What `create` answers. */
export interface Created {
  /** The notification as it is stored, with its id. */
  readonly notification: Notification;
  /**
   * Where each recipient's item went. Empty where that is not decided yet: within a transaction of the host, and while
   * a fan-out to more than 1,000 users goes on in the background.
   */
  readonly items: readonly CreatedItem[];
}

/** A create, before it is checked. */
export interface CreateRequest {
  readonly tenant: string;
  readonly input: UntypedCreateInput;
  readonly rules: CreateRules;
}

/** Creates a notification in a transaction of Belfry's own. Resolves after commit. */
export async function create(context: Context, request: CreateRequest): Promise<Created> {
  const entry = await parseCreate(context, request);
  await context.ready();
  if (entry.recipients.length > MAX_AT_ONCE) {
    await context.storage.inbox.createFanOut(entry, FAN_OUT_CHUNK);
    emitCreated(context, entry);
    context.fanOut();
    return { notification: entry.notification, items: [] };
  }
  const items = await context.writer.write(entry);
  announceCreated(context, entry, items);
  return { notification: entry.notification, items };
}

/** Tells everybody of an entry that was committed. */
export function announceCreated(context: Context, entry: NewNotification, items: readonly CreatedItem[]): void {
  context.publish(items.map((item) => createdSignal(entry.notification, item)));
  emitCreated(context, entry);
}

function emitCreated(context: Context, { notification, recipients }: NewNotification): void {
  const { tenant, id, type } = notification;
  context.events.emit("notification.created", { tenant, id, type, notification, recipients: recipients.length });
}

/** The signal that tells of one recipient's new item. */
export function createdSignal(notification: Notification, item: CreatedItem): InboxSignal {
  return {
    tenant: notification.tenant,
    userId: item.userId,
    change: "created",
    seq: item.seq,
    epoch: item.epoch,
    id: notification.id,
    notification,
  };
}
