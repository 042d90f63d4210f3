import type { ClientPrincipal, Principal } from "@belfry/core/http";
import { DEFAULT_ACTOR } from "../access.ts";

/** Who asks, as the audit log names them. */
export function actorOf(principal: Principal): string {
  return (principal as ClientPrincipal).keyId ?? DEFAULT_ACTOR;
}
