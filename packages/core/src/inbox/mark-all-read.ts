import type { Owner } from "../foundation/owner.ts";
import type { InboxContext } from "./context.ts";

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
