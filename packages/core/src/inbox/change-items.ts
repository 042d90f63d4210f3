import { acknowledgeRead } from "../delivery/acknowledge.ts";
import type { Owner } from "../foundation/owner.ts";
import type { InboxSignal } from "../realtime/transport.ts";
import type { Context } from "../service/context.ts";
import type { InboxItem, ItemRef } from "./inbox-item.ts";
import type { ItemsChange } from "./inbox-storage.ts";
import { absenceError, isPossible } from "./read-item.ts";

type Change = "read" | "deleted";

/** Marks one item read and returns it; again is allowed and keeps the first time. Throws as `getItem` does. */
export async function markRead(context: Context, owner: Owner, ref: ItemRef): Promise<InboxItem> {
  return changeOne(context, owner, { ref, change: "read" });
}

/** Deletes one item and returns what it was. Throws as `getItem` does. */
export async function removeItem(context: Context, owner: Owner, ref: ItemRef): Promise<InboxItem> {
  return changeOne(context, owner, { ref, change: "deleted" });
}

/** Marks several items read in one transaction, skips unknown ones, and returns how many were found. */
export async function markManyRead(context: Context, owner: Owner, refs: readonly ItemRef[]): Promise<number> {
  return (await changeMany(context, owner, { refs, change: "read" })).items.length;
}

/** Deletes several items in one transaction, skips unknown ones, and returns how many were found. */
export async function removeMany(context: Context, owner: Owner, refs: readonly ItemRef[]): Promise<number> {
  return (await changeMany(context, owner, { refs, change: "deleted" })).items.length;
}

async function changeOne(context: Context, owner: Owner, { ref, change }: { ref: ItemRef; change: Change }): Promise<InboxItem> {
  const [item] = (await changeMany(context, owner, { refs: [ref], change })).items;
  if (item === undefined) {
    throw await absenceError(context, owner, ref);
  }
  return item;
}

async function changeMany(
  context: Context,
  owner: Owner,
  { refs, change }: { refs: readonly ItemRef[]; change: Change },
): Promise<ItemsChange> {
  await context.ready();
  const at = new Date(context.clock.now());
  const { inbox } = context.storage;
  const possible = refs.filter(isPossible);
  const result = change === "read" ? await inbox.markRead(owner, possible, at) : await inbox.remove(owner, possible, at);
  announce(context, owner, { result, change });
  if (change === "read") {
    await acknowledgeRead(
      context,
      owner,
      result.items.map(({ id }) => id),
    );
  }
  return result;
}

function announce(context: Context, owner: Owner, { result, change }: { result: ItemsChange; change: Change }): void {
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
