import { validationError } from "../foundation/issue-list.ts";
import type { InboxContext } from "./context.ts";
import type { InboxItem } from "./inbox-item.ts";

/** Returns up to `limit` items of all the tenant's inboxes, newest notification first. */
export async function listTenant(context: InboxContext, tenant: string, limit: number): Promise<readonly InboxItem[]> {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
    throw validationError([{ path: ["limit"], type: "range", message: `must be a whole number from 1 to 1000, is ${limit}` }]);
  }
  using _call = await context.ready();
  return context.inbox.listTenant(tenant, limit);
}
