import type { ApiKeyScope } from "../../service/api-key-storage.ts";
import type { HttpRequest } from "../messages.ts";
import type { ClientPrincipal, CredentialScheme, Principal, UserPrincipal } from "../principal.ts";
import { type CredentialLookup, lookup } from "./digest.ts";
import { type JwtOptions, jwtVerifier } from "./jwt.ts";

/** A user as a token look-up gives it: the id alone means the default tenant. */
export type TokenUser = string | { readonly userId: string; readonly tenant?: string };

/** A client as a key look-up gives it: the tenant alone may do everything. */
export type KeyClient = string | { readonly tenant: string; readonly scopes?: readonly ApiKeyScope[]; readonly keyId?: string };

/** Where principals come from. */
export interface AuthOptions {
  /** `Authorization: Bearer <JWT>`: users, by the token's `sub` and optional `client_id`. */
  readonly jwt?: JwtOptions;
  /** `Authorization: Token <token>`: users, by a table of token → user or a function. */
  readonly tokens?: CredentialLookup<TokenUser>;
  /**
   * `X-API-Key: <key>` or `Authorization: Bearer <key>`: clients, by a table of key → tenant or a function, such as
   * `notifications.apiKeys.lookup` for keys that Belfry keeps.
   */
  readonly apiKeys?: CredentialLookup<KeyClient>;
}

/** A host's own way to tell who asks; null for nobody. */
export type AuthFunction = (request: HttpRequest) => Principal | null | Promise<Principal | null>;

/** What a request presented, and whose it is. */
export interface Presented {
  /** Null when the request presents no credential; `host` when the host's own function looked at it. */
  readonly scheme: CredentialScheme | "host" | null;
  /** Null when the credential is wrong, expired or missing. */
  readonly principal: Principal | null;
}

/** Tells who asks. */
export interface Authenticator {
  /** Who sent this request, by its headers alone: a key in a query string is no credential here. */
  authenticate(request: HttpRequest): Promise<Presented>;
  /** Whose credential this is, where it came otherwise than in a header. */
  check(scheme: CredentialScheme, credential: string, request: HttpRequest): Promise<Principal | null>;
}

/** Builds the authenticator a host configured. */
export function authenticator(auth: AuthOptions | AuthFunction | undefined, defaultTenant: string): Authenticator {
  return typeof auth === "function" ? hostAuthenticator(auth) : credentialAuthenticator(auth ?? {}, defaultTenant);
}

function hostAuthenticator(auth: AuthFunction): Authenticator {
  return {
    async authenticate(request) {
      const principal = await auth(request);
      const asked = request.headers.authorization !== undefined || request.headers["x-api-key"] !== undefined;
      return { scheme: asked || principal !== null ? "host" : null, principal };
    },
    // The host's function sees a credential of a query as if it had come in its header.
    async check(scheme, credential, request) {
      const header = scheme === "api-key" ? { "x-api-key": credential } : { authorization: `Bearer ${credential}` };
      return auth({ ...request, headers: { ...request.headers, ...header } });
    },
  };
}

function credentialAuthenticator(auth: AuthOptions, defaultTenant: string): Authenticator {
  const clientOf = lookup(auth.apiKeys);
  const userOf = lookup(auth.tokens);
  const verify = auth.jwt ? jwtVerifier(auth.jwt, defaultTenant) : async () => null;
  const client = async (key: string): Promise<ClientPrincipal | null> => {
    const found = await clientOf(key);
    if (found === null) {
      return null;
    }
    return typeof found === "string" ? { kind: "client", tenant: found } : { kind: "client", ...found };
  };
  const user = async (token: string): Promise<UserPrincipal | null> => {
    const found = await userOf(token);
    if (found === null) {
      return null;
    }
    return typeof found === "string"
      ? { kind: "user", tenant: defaultTenant, userId: found }
      : { kind: "user", tenant: found.tenant ?? defaultTenant, userId: found.userId };
  };
  const check = async (scheme: CredentialScheme, credential: string): Promise<Principal | null> => {
    if (credential === "") {
      return null;
    }
    const checks = { "api-key": client, bearer: verify, token: user };
    return checks[scheme](credential);
  };
  return {
    check,
    async authenticate(request) {
      const apiKey = request.headers["x-api-key"];
      if (apiKey !== undefined) {
        return { scheme: "api-key", principal: await check("api-key", apiKey) };
      }
      const [, word, credential = ""] = /^(bearer|token)(?:\s+(.*))?$/is.exec(request.headers.authorization ?? "") ?? [];
      if (word === undefined) {
        return { scheme: null, principal: null };
      }
      if (word.toLowerCase() === "token") {
        return { scheme: "token", principal: await check("token", credential.trim()) };
      }
      // A Bearer may be an API key; what is no known key is taken for a JWT.
      const known = await check("api-key", credential.trim());
      return known ? { scheme: "api-key", principal: known } : { scheme: "bearer", principal: await check("bearer", credential.trim()) };
    },
  };
}
