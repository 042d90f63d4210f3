import type { InboxCounts } from "../model/inbox-item.ts";
import type { Owner } from "../model/owner.ts";
import type { Context } from "./context.ts";

/** The inbox's counts, as its last change left them. */
export async function countInbox(context: Context, owner: Owner): Promise<InboxCounts> {
  await context.ready();
  return context.storage.inbox.counts(owner);
}
