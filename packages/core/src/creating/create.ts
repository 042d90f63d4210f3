import { type Created, type CreatedItem, createdSignal, type NewNotification } from "../inbox/index.ts";
import type { CreatingContext } from "./context.ts";
import { type CreateRequest, parseCreate } from "./parse-create.ts";

/** The most recipients that one transaction of Belfry writes. Longer lists are fanned out in chunks. */
export const MAX_AT_ONCE = 1_000;

/** Creates a notification in its own transaction. Resolves after commit. */
export async function create(context: CreatingContext, request: CreateRequest): Promise<Created> {
  const parsing = parseCreate(context, request);
  if (parsing instanceof Promise) {
    // A long list is looked at in pieces, and may be found wrong before it is awaited below, which throws what was found.
    parsing.catch(() => {});
  }
  using _call = await context.ready();
  const entry = parsing instanceof Promise ? await parsing : parsing;
  if (entry.recipients.length > MAX_AT_ONCE) {
    await context.inbox.createFanOut(entry, context.inbox.fanOutChunk);
    emitCreated(context, entry);
    context.fanOut();
    return { notification: entry.notification, items: [] };
  }
  const items = await context.writer.write(entry);
  announceCreated(context, entry, items);
  return { notification: entry.notification, items };
}

/** Tells clients, other processes and listeners about a committed entry. */
export function announceCreated(context: CreatingContext, entry: NewNotification, items: readonly CreatedItem[]): void {
  context.publish(items.map((item) => createdSignal(entry.notification, item)));
  emitCreated(context, entry);
}

function emitCreated(context: CreatingContext, { notification, recipients }: NewNotification): void {
  const { tenant, id, type } = notification;
  context.events.emit("notification.created", { tenant, id, type, notification, recipients: recipients.length });
}
