import type { UserPrincipal } from "../../http/principal.ts";
import type { RouteContext } from "../../http/route.ts";
import type { Inbox } from "../../inbox/index.ts";

export const BASE = "/api/belfry/v1";

/** The user who asks. */
export function userOf({ principal }: Pick<RouteContext, "principal">): UserPrincipal {
  if (principal.kind !== "user") {
    throw new Error("A client asked the native contract, whose principal is a user.");
  }
  return principal;
}

/** The caller's own inbox, with archived and snoozed items. */
export function ownInbox(context: Pick<RouteContext, "principal" | "tenant">): Inbox {
  return context.tenant.inbox(userOf(context).userId);
}
