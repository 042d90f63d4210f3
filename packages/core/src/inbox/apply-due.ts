import type { Owner } from "../foundation/context.ts";
import { andThen, type MaybePromise } from "../foundation/maybe-promise.ts";
import { announcedOf, announceItems, type InboxContext } from "./context.ts";
import type { InboxCounts, ItemsChange } from "./inbox-item.ts";

/** Whether snoozed items have to come back, by the counts that were read. */
export function isDue({ clock }: Pick<InboxContext, "clock">, { dueAt }: InboxCounts): boolean {
  return dueAt !== undefined && dueAt.getTime() <= clock.now();
}

/** Wakes the snoozed items of an inbox whose time has come, unless another transaction holds it, and tells everybody. */
export async function wakeDue(context: InboxContext, owner: Owner): Promise<void> {
  const { inbox, clock } = context;
  for (let woken: ItemsChange | null | undefined; woken === undefined || (woken !== null && woken.changed.size > 0); ) {
    woken = await inbox.wakeDue(owner, new Date(clock.now()));
    announceItems(context, "woken", woken === null ? [] : announcedOf(woken));
  }
}

/** A read of an inbox, and the counts that came with it. */
export interface CountedRead<Read> {
  read(): MaybePromise<Read>;
  countsOf(found: Read): InboxCounts;
}

/**
 * Reads an inbox as it is by the clock: if snoozed items are due, it wakes them and reads again. Where it cannot write, or
 * another transaction holds the inbox, the answer is as it was.
 */
export function readByClock<Read>(context: InboxContext, owner: Owner, { read, countsOf }: CountedRead<Read>): MaybePromise<Read> {
  return andThen(read(), (found) => (isDue(context, countsOf(found)) ? readWoken(context, owner, { read, found }) : found));
}

async function readWoken<Read>(
  context: InboxContext,
  owner: Owner,
  { read, found }: { readonly found: Read; read(): MaybePromise<Read> },
): Promise<Read> {
  try {
    await wakeDue(context, owner);
  } catch (err) {
    const { tenant, userId } = owner;
    context.lines.warn({ err, tenant, userId }, "Snoozed items could not be woken before a read. They are woken later.");
    return found;
  }
  return await read();
}
