import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import type { Owner } from "../foundation/owner.ts";
import type { InboxContext } from "./context.ts";
import type { InboxItem, ItemRef } from "./inbox-item.ts";

/** Returns one item. Throws `NOT_FOUND` or `FORBIDDEN`; see {@link absenceError}. */
export async function getItem(context: InboxContext, owner: Owner, ref: ItemRef): Promise<InboxItem> {
  using _call = await context.ready();
  const item = isPossible(ref) ? await context.inbox.get(owner, ref) : null;
  if (item === null) {
    throw await absenceError(context, owner, ref);
  }
  return item;
}

/**
 * Returns the error for an absent item: `FORBIDDEN` for a notification of the tenant that was never in this inbox, else
 * `NOT_FOUND` (unknown, deleted, another tenant's).
 */
export async function absenceError(context: InboxContext, owner: Owner, ref: ItemRef): Promise<BelfryError> {
  const absence = isPossible(ref) ? await context.inbox.absence(owner, ref) : "unknown";
  return absence === "foreign"
    ? new BelfryError("FORBIDDEN", `The notification ${name(ref)} is not in this user's inbox.`)
    : new BelfryError("NOT_FOUND", `There is no notification ${name(ref)} in this inbox.`);
}

/** Whether an item with this ref can exist at all. Belfry does not query the database for an impossible ref. */
export function isPossible(ref: ItemRef): boolean {
  return typeof ref === "string" ? isUuid(ref) : Number.isSafeInteger(ref.seq) && ref.seq > 0;
}

function name(ref: ItemRef): string {
  return typeof ref === "string" ? JSON.stringify(ref.slice(0, 64)) : `number ${ref.seq}`;
}
