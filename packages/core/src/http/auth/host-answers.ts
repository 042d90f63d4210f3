import { BelfryError } from "../../foundation/errors.ts";
import { NAME_RULE, shown, textIssue } from "../../foundation/parse-text.ts";
import type { ClientPrincipal, Principal, UserPrincipal } from "../principal.ts";

// What the host's own function or table says is the host's to mend: a caller cannot help it, and is not told.

/** Returns the user that `auth.tokens` has for a token. Throws `CONFIGURATION` for what names no user. */
export function tokensUser(found: unknown, defaultTenant: string): UserPrincipal {
  const { userId, tenant = defaultTenant } = membersOf(found, "userId");
  return {
    kind: "user",
    tenant: nameOf(tenant, "auth.tokens has a user whose tenant"),
    userId: nameOf(userId, "auth.tokens has a user whose id"),
  };
}

/** Returns the client that `auth.apiKeys` has for a key. Throws `CONFIGURATION` for what names no tenant. */
export function apiKeysClient(found: unknown): ClientPrincipal {
  const { tenant, ...rest } = membersOf(found, "tenant");
  return { ...rest, kind: "client", tenant: nameOf(tenant, "auth.apiKeys has a client whose tenant") };
}

/** Returns what the host's function answered. Throws `CONFIGURATION` for what is no principal. */
export function hostsPrincipal(principal: Principal): Principal {
  const { kind, tenant, userId } = membersOf(principal, "kind");
  if (kind !== "user" && kind !== "client") {
    const expected = '{ kind: "user", tenant, userId }, { kind: "client", tenant }, or null';
    throw new BelfryError("CONFIGURATION", `The function auth answered a principal whose kind is ${shown(kind)}; return ${expected}.`);
  }
  nameOf(tenant, "The function auth answered a principal whose tenant");
  if (kind === "user") {
    nameOf(userId, "The function auth answered a user whose userId");
  }
  return principal;
}

/** The members of an object, or the one that a value alone stands for. */
function membersOf(found: unknown, alone: string): Readonly<Record<string, unknown>> {
  return typeof found === "object" && found !== null ? (found as Readonly<Record<string, unknown>>) : { [alone]: found };
}

function nameOf(value: unknown, what: string): string {
  if (typeof value === "string" && textIssue(value, [], NAME_RULE) === null) {
    return value;
  }
  const rule = "give a text of 1 to 255 characters, such as String(id), or null for a credential that you do not know";
  throw new BelfryError("CONFIGURATION", `${what} is ${shown(value)}; ${rule}.`);
}
