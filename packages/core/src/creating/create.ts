import type { MaybePromise } from "../foundation/maybe-promise.ts";
import { announceAlso, type Created, type CreatedItem, createdSignal, type InboxStorage, type NewNotification } from "../inbox/index.ts";
import { MAX_AT_ONCE } from "../notifications/index.ts";
import type { CreatingContext } from "./context.ts";
import { type CreateRequest, parseCreate } from "./parse-create.ts";

/** Creates a notification in its own transaction. Resolves after commit: of the items, or of a long list that they are made from. Throws at once what is wrong with a short input. */
export function create(context: CreatingContext, request: CreateRequest): Promise<Created> {
  const parsing = parseCreate(context, request);
  const call = context.ready();
  return parsing instanceof Promise || call instanceof Promise ? createLater(context, parsing, call) : write(context, parsing, call);
}

async function createLater(
  context: CreatingContext,
  parsing: MaybePromise<NewNotification>,
  ready: MaybePromise<Disposable>,
): Promise<Created> {
  if (parsing instanceof Promise) {
    // A long list is looked at in pieces, and may be found wrong before it is awaited below, which throws what was found.
    parsing.catch(() => {});
  }
  const call = await ready;
  let entry: NewNotification;
  try {
    entry = await parsing;
  } catch (error) {
    call[Symbol.dispose]();
    throw error;
  }
  return write(context, entry, call);
}

/**
 * Writes an entry, and ends the call. It makes the one promise that the caller has, since every create pays for each; unless a listener of the
 * host is to hear of it in the caller's asynchronous context, since a batch has that of its first caller.
 */
function write(context: CreatingContext, entry: NewNotification, call: Disposable): Promise<Created> {
  if (entry.recipients.length > MAX_AT_ONCE || context.events.hears("notification.created")) {
    return writeAwaited(context, entry, call);
  }
  return new Promise((resolve, reject) =>
    context.writer.push({
      entry,
      resolve(items) {
        try {
          announceCreated(context, entry, items);
          resolve({ notification: entry.notification, items });
        } catch (error) {
          reject(error);
        } finally {
          call[Symbol.dispose]();
        }
      },
      reject(error) {
        call[Symbol.dispose]();
        reject(error);
      },
    }),
  );
}

async function writeAwaited(context: CreatingContext, entry: NewNotification, call: Disposable): Promise<Created> {
  using _call = call;
  const { notification, recipients } = entry;
  if (recipients.length <= MAX_AT_ONCE) {
    const items = await context.writer.write(entry);
    announceCreated(context, entry, items);
    return { notification, items };
  }
  const { group, replaceKey } = notification;
  await context.inbox.createFanOut(entry, chunkOf(context.inbox, { isGrouped: group !== null || replaceKey !== null }));
  announceFanOut(context, entry);
  return { notification, items: [] };
}

/** Begins writing the items of a committed entry, and tells listeners about it. */
export function announceFanOut(context: CreatingContext, entry: NewNotification): void {
  emitCreated(context, entry);
  context.fanOut();
}

/** The most recipients in a chunk whose items change others: each of them has steps of its own. */
const MOST_CHANGING = 200;

/** The number of recipients in a chunk of an entry. @param of whether its items change others */
export function chunkOf({ fanOutChunk }: Pick<InboxStorage, "fanOutChunk">, { isGrouped }: { readonly isGrouped: boolean }): number {
  return isGrouped ? Math.min(fanOutChunk, MOST_CHANGING) : fanOutChunk;
}

/** Tells clients, other processes and listeners about a committed entry. */
export function announceCreated(context: CreatingContext, entry: NewNotification, items: readonly CreatedItem[]): void {
  if (context.followsAny?.() ?? true) {
    context.publish(items.map((item) => createdSignal(entry.notification, item)));
  }
  announceAlso(context, items);
  emitCreated(context, entry);
  if (isOpen(entry)) {
    context.fanOut();
  }
}

/** Whether subscribers of an entry are still to be found. */
function isOpen({ audience }: NewNotification): boolean {
  return audience !== undefined && audience.source !== null;
}

function emitCreated(context: CreatingContext, entry: NewNotification): void {
  if (!context.events.hears("notification.created")) {
    return;
  }
  const { notification, recipients } = entry;
  const { tenant, id, type } = notification;
  context.events.emit("notification.created", { tenant, id, type, notification, recipients: isOpen(entry) ? null : recipients.length });
}
