import { type Created, type CreatedItem, createdSignal, type NewNotification } from "../inbox/index.ts";
import type { CreatingContext } from "./context.ts";
import { type CreateRequest, parseCreate } from "./parse-create.ts";

/** The most recipients that one transaction of Belfry writes. Longer lists are fanned out in chunks. */
export const MAX_AT_ONCE = 1_000;

/** Creates a notification in its own transaction. Resolves after commit. */
export async function create(context: CreatingContext, request: CreateRequest): Promise<Created> {
  const parsed = parseCreate(context, request);
  const [entry, call] = parsed instanceof Promise ? await inFlight(context, parsed) : [parsed, await context.ready()];
  using _call = call;
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

/** Waits for an input that takes many turns to check, and counts the call as in flight meanwhile: a stop waits for it. */
async function inFlight(
  context: CreatingContext,
  parsing: Promise<NewNotification>,
): Promise<readonly [entry: NewNotification, call: Disposable]> {
  const [entry, call] = await Promise.allSettled([parsing, context.ready()]);
  if (entry.status === "fulfilled" && call.status === "fulfilled") {
    return [entry.value, call.value];
  }
  if (call.status === "fulfilled") {
    call.value[Symbol.dispose]();
  }
  throw [entry, call].find((one) => one.status === "rejected")?.reason;
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
