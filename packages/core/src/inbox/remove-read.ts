import type { Owner } from "../foundation/owner.ts";
import type { InboxContext } from "./context.ts";

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
