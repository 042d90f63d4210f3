import { digest } from "../../foundation/digest.ts";
import { andThen, type MaybePromise } from "../../foundation/maybe-promise.ts";
import type { ApiKeyScope } from "../../service/api-key-storage.ts";
import type { HttpRequest } from "../messages.ts";
import type { CredentialScheme, Principal } from "../principal.ts";
import { apiKeysClient, hostsPrincipal, tokensUser } from "./host-answers.ts";
import { type JwtOptions, jwtVerifier } from "./jwt.ts";
import { isRefusal, type Refusal, refused } from "./refusal.ts";

/** The look-up of a credential: a fixed table, or the host's own function. */
export type CredentialLookup<Found> =
  | Readonly<Record<string, Found>>
  | ReadonlyMap<string, Found>
  | ((credential: string) => Found | null | undefined | Promise<Found | null | undefined>);

/**
 * Makes one function from either form of look-up. Credentials are stored and looked up as digests, so the time of a look-up
 * reveals nothing about the credential.
 */
function lookup<Found>(source: CredentialLookup<Found> | undefined): (credential: string) => Promise<Found | null> {
  if (source === undefined) {
    return async () => null;
  }
  if (typeof source === "function") {
    return async (credential) => (await source(credential)) ?? null;
  }
  const entries = source instanceof Map ? [...source.entries()] : Object.entries(source as Readonly<Record<string, Found>>);
  let table: Promise<ReadonlyMap<string, Found>> | null = null;
  return async (credential) => {
    table ??= Promise.all(entries.map(async ([key, found]): Promise<[string, Found]> => [await digest(key), found])).then(
      (pairs) => new Map(pairs),
    );
    return (await table).get(await digest(credential)) ?? null;
  };
}

/** The result of a token look-up: the user's id, as a text. An id alone means a user of the default tenant. */
export type TokenUser = string | { readonly userId: string; readonly tenant?: string };

/** The result of a key look-up. A tenant alone means a client that may do everything. */
export type KeyClient = string | { readonly tenant: string; readonly scopes?: readonly ApiKeyScope[]; readonly keyId?: string };

/** The built-in kinds of credentials, with the source of each. */
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

/**
 * A host's own function that identifies the caller; null for none. It is called for each request, and every 15 seconds for
 * each open stream and socket. A session that the host ends there ends here within 30 seconds.
 */
export type AuthFunction = (request: HttpRequest) => Principal | null | Promise<Principal | null>;

/** The credential that a request presents. */
export interface PresentedCredential {
  /** `host` when the host's own function checks the request. */
  readonly scheme: CredentialScheme | "host";
  readonly text: string;
}

/** Identifies callers. */
export interface Authenticator {
  /** Returns the credential in a request's headers, or null. It ignores keys in the query string. */
  presentedBy(request: HttpRequest): PresentedCredential | null;
  /**
   * Returns the principal of a credential, and the scheme that accepted it.
   *
   * @throws BelfryError `CONFIGURATION` when the host's own function or table has something other than a user, a tenant or a principal
   */
  identify(presented: PresentedCredential, request: HttpRequest): MaybePromise<Identified>;
}

/** The result of checking a credential. */
export interface Identified {
  readonly scheme: CredentialScheme | "host";
  readonly found: Principal | Refusal;
  /** Whether nothing but its own time ends the credential, so that nobody needs to check it again. @default false */
  readonly isFinal?: boolean;
}

/** Builds the authenticator from the host's options. */
export function authenticator(auth: AuthOptions | AuthFunction | undefined, defaultTenant: string): Authenticator {
  return typeof auth === "function" ? hostAuthenticator(auth) : credentialAuthenticator(auth ?? {}, defaultTenant);
}

function hostAuthenticator(auth: AuthFunction): Authenticator {
  return {
    // The host's function may use other parts of the request too.
    presentedBy: ({ headers }) => new HostsCredential(headers),
    identify(presented, request) {
      const asked = presented.scheme === "host" ? request : withHeader(request, presented.scheme, presented.text);
      return andThen(auth(asked), identifiedByHost);
    },
  };
}

/** The headers that somebody who guesses would use. They are looked up only if it comes to that. */
class HostsCredential implements PresentedCredential {
  readonly scheme = "host";
  readonly #headers: HttpRequest["headers"];

  constructor(headers: HttpRequest["headers"]) {
    this.#headers = headers;
  }

  get text(): string {
    return this.#headers.authorization ?? this.#headers["x-api-key"] ?? "";
  }
}

function identifiedByHost(principal: Principal | null): Identified {
  return { scheme: "host", found: principal === null ? refused("the host's auth function knows nobody by it") : hostsPrincipal(principal) };
}

/** The request as if a credential from its query had come in its header. */
function withHeader(request: HttpRequest, scheme: CredentialScheme, text: string): HttpRequest {
  const header = scheme === "api-key" ? { "x-api-key": text } : { authorization: `Bearer ${text}` };
  return { ...request, headers: { ...request.headers, ...header } };
}

function credentialAuthenticator(auth: AuthOptions, defaultTenant: string): Authenticator {
  const clientOf = lookup(auth.apiKeys);
  const userOf = lookup(auth.tokens);
  const verify = auth.jwt ? jwtVerifier(auth.jwt, defaultTenant) : async () => refused("auth.jwt is not given");
  const check: Readonly<Record<CredentialScheme, (credential: string) => Promise<Principal | Refusal>>> = {
    async "api-key"(key) {
      const found = await clientOf(key);
      return found === null ? refused("no such API key") : apiKeysClient(found);
    },
    async token(token) {
      const found = await userOf(token);
      return found === null ? refused("no such token") : tokensUser(found, defaultTenant);
    },
    bearer: verify,
  };
  return {
    presentedBy,
    async identify({ scheme, text }) {
      if (scheme === "host" || text === "") {
        return { scheme, found: refused("it is empty") };
      }
      if (scheme === "bearer" && auth.apiKeys !== undefined) {
        // A Bearer credential may be an API key. If it is none, it is checked as a JWT.
        const client = await check["api-key"](text);
        if (!isRefusal(client)) {
          return { scheme: "api-key", found: client };
        }
      }
      // Of a token that a secret signed nothing changes but the time. Public keys may be withdrawn.
      return { scheme, found: await check[scheme](text), isFinal: scheme === "bearer" && auth.jwt?.secret !== undefined };
    },
  };
}

function presentedBy({ headers }: HttpRequest): PresentedCredential | null {
  const apiKey = headers["x-api-key"];
  if (apiKey !== undefined) {
    return { scheme: "api-key", text: apiKey };
  }
  const [, word, credential = ""] = /^(bearer|token)(?:\s+(.*))?$/is.exec(headers.authorization ?? "") ?? [];
  if (word === undefined) {
    return null;
  }
  return { scheme: word.toLowerCase() === "token" ? "token" : "bearer", text: credential.trim() };
}
