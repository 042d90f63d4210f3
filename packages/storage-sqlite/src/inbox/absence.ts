import type { ItemRef, Owner } from "@belfry/core";
import type { ItemAbsence } from "@belfry/core/storage";
import type { QueryContext } from "../database/query-context.ts";
import { prepareFindItem } from "./find-item.ts";
import { prepareHasNotification } from "./has-notification.ts";
import { prepareInboxState } from "./inbox-state.ts";

/** Finds out why an inbox does not have an item. */
export function prepareAbsence(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const findItem = prepareFindItem(context);
  const hasNotification = prepareHasNotification(context);
  return (owner: Owner, ref: ItemRef): ItemAbsence => {
    const found = findItem(owner, inboxState(owner), ref);
    if (found !== undefined) {
      // Not deleted: it arrived after the caller looked, so it was unknown then.
      return found.isDeleted ? "deleted" : "unknown";
    }
    return typeof ref === "string" && hasNotification({ tenant: owner.tenant, id: ref }) ? "foreign" : "unknown";
  };
}
