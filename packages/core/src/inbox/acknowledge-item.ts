import type { Owner } from "../foundation/owner.ts";
import type { Acknowledged } from "./acknowledged.ts";
import type { InboxContext } from "./context.ts";
import { getItem } from "./read-item.ts";

/** Acknowledges one item; throws `NOT_FOUND` or `FORBIDDEN` when it is not in the inbox. */
export async function acknowledgeItem(context: InboxContext, owner: Owner, id: string): Promise<Acknowledged> {
  const item = await getItem(context, owner, id);
  return { item, fallback: await context.reads.onAcknowledged(owner, item.id) };
}
