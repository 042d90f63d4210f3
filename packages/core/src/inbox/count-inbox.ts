import type { Owner } from "../foundation/owner.ts";
import type { Context } from "../service/context.ts";
import type { InboxCounts } from "./inbox-item.ts";

/** The inbox's counts, as its last change left them. */
export async function countInbox(context: Context, owner: Owner): Promise<InboxCounts> {
  await context.ready();
  return context.storage.inbox.counts(owner);
}
