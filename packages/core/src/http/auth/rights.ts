import { BelfryError } from "../../foundation/errors.ts";
import type { Principal } from "../principal.ts";
import type { Route } from "../route.ts";

/** Refuses a write with a key that may only read, a read with a key that may only write, and an action that the client has no right to. */
export function requireRights(principal: Principal | null, { method, action }: Pick<Route, "method" | "action">): void {
  if (principal?.kind !== "client") {
    return;
  }
  const { scopes, actions } = principal;
  const needed = method === "GET" ? "read" : "write";
  if (scopes !== undefined && !scopes.includes(needed)) {
    throw new BelfryError("FORBIDDEN", `The API key may not ${needed}.`);
  }
  if (action !== undefined && actions !== undefined && !actions.includes(action)) {
    throw new BelfryError("FORBIDDEN", `You may not do this: it takes the right "${action}".`);
  }
}
