import type { Owner } from "../foundation/context.ts";
import type { Acknowledged, InboxContext } from "./context.ts";
import type { InboxSignal } from "./inbox-event.ts";
import type { InboxItem, ItemRef } from "./inbox-item.ts";
import type { ItemsChange } from "./inbox-storage.ts";
import { absenceError, getItem, isPossible } from "./list-inbox.ts";

type Change = "read" | "deleted";

/** Marks one item read and returns it; marking it again keeps the first time. Throws as `getItem` does. */
export async function markRead(context: InboxContext, owner: Owner, ref: ItemRef): Promise<InboxItem> {
  return changeOne(context, owner, { ref, change: "read" });
}

/** Deletes one item and returns it as it was. Throws as `getItem` does. */
export async function removeItem(context: InboxContext, owner: Owner, ref: ItemRef): Promise<InboxItem> {
  return changeOne(context, owner, { ref, change: "deleted" });
}

/** Marks several items read in one transaction, skips unknown ones, and returns how many were found. */
export async function markManyRead(context: InboxContext, owner: Owner, refs: readonly ItemRef[]): Promise<number> {
  return (await changeMany(context, owner, { refs, change: "read" })).items.length;
}

/** Deletes several items in one transaction, skips unknown ones, and returns how many were found. */
export async function removeMany(context: InboxContext, owner: Owner, refs: readonly ItemRef[]): Promise<number> {
  return (await changeMany(context, owner, { refs, change: "deleted" })).items.length;
}

async function changeOne(context: InboxContext, owner: Owner, { ref, change }: { ref: ItemRef; change: Change }): Promise<InboxItem> {
  const [item] = (await changeMany(context, owner, { refs: [ref], change })).items;
  if (item === undefined) {
    throw await absenceError(context, owner, ref);
  }
  return item;
}

async function changeMany(
  context: InboxContext,
  owner: Owner,
  { refs, change }: { refs: readonly ItemRef[]; change: Change },
): Promise<ItemsChange> {
  using _call = await context.ready();
  const at = new Date(context.clock.now());
  const { inbox } = context;
  const possible = refs.filter(isPossible);
  const result = change === "read" ? await inbox.markRead(owner, possible, at) : await inbox.remove(owner, possible, at);
  announce(context, owner, { result, change });
  // A notification of `create` has no deliveries to look up.
  const sent = change === "read" ? result.items.filter(({ kind }) => kind === "send") : [];
  if (sent.length > 0) {
    await context.reads.onRead(
      owner,
      sent.map(({ id }) => id),
    );
  }
  return result;
}

function announce(context: InboxContext, owner: Owner, { result, change }: { result: ItemsChange; change: Change }): void {
  const changed = result.items.filter((item) => result.changed.has(item.seq));
  if (changed.length === 0) {
    return;
  }
  const { epoch } = result.counts;
  context.publish(changed.map((item): InboxSignal => ({ ...owner, change, seq: item.seq, epoch, id: item.id, item })));
  for (const item of changed) {
    context.events.emit(change === "read" ? "item.read" : "item.deleted", { ...owner, id: item.id, type: item.type, item });
  }
}

/** Marks everything read that is in the inbox now, in one transaction, and returns the number of items it changed. */
export async function markAllRead(context: InboxContext, owner: Owner): Promise<number> {
  using _call = await context.ready();
  const { count, counts } = await context.inbox.markAllRead(owner, new Date(context.clock.now()));
  if (count > 0) {
    context.publish([{ ...owner, change: "read_all", seq: counts.lastSeq, epoch: counts.epoch, count }]);
    context.events.emit("inbox.all_read", { ...owner, count });
  }
  await context.reads.onRead(owner, null);
  return count;
}

/** Deletes every read item, in one transaction, and returns their number. */
export async function removeRead(context: InboxContext, owner: Owner): Promise<number> {
  using _call = await context.ready();
  const { count, counts } = await context.inbox.removeRead(owner, new Date(context.clock.now()));
  if (count > 0) {
    context.publish([{ ...owner, change: "deleted_read", seq: counts.lastSeq, epoch: counts.epoch, count }]);
    context.events.emit("inbox.read_deleted", { ...owner, count });
  }
  return count;
}

/** Acknowledges one item; throws `NOT_FOUND` or `FORBIDDEN` when it is not in the inbox. */
export async function acknowledgeItem(context: InboxContext, owner: Owner, id: string): Promise<Acknowledged> {
  const item = await getItem(context, owner, id);
  return { item, fallback: await context.reads.onAcknowledged(owner, item.id) };
}
