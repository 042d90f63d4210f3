import type { ClientPrincipal, Principal } from "@belfry/core/http";
import { DEFAULT_ACTOR } from "../access.ts";

/** The name of a principal in the audit log. */
export function actorOf(principal: Principal): string {
  return (principal as ClientPrincipal).keyId ?? DEFAULT_ACTOR;
}
