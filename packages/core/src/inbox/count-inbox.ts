import type { Owner } from "../foundation/owner.ts";
import type { InboxContext } from "./context.ts";
import type { InboxCounts } from "./inbox-item.ts";

/** Returns the inbox's counts after its last change. */
export async function countInbox(context: InboxContext, owner: Owner): Promise<InboxCounts> {
  using _call = await context.ready();
  return context.inbox.counts(owner);
}
