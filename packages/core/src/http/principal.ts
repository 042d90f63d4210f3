import type { ApiKeyScope } from "../service/api-key-storage.ts";

/** A user of a tenant, identified by a JWT, a token or the host's own function. */
export interface UserPrincipal {
  readonly kind: "user";
  readonly tenant: string;
  readonly userId: string;
  /** The time the credential ends, in milliseconds since 1970. Open streams are closed then. */
  readonly expiresAt?: number;
}

/** A client: another service that acts for a whole tenant, identified by an API key. */
export interface ClientPrincipal {
  readonly kind: "client";
  readonly tenant: string;
  /** The actions that its key allows. @default everything */
  readonly scopes?: readonly ApiKeyScope[];
  /** Its rights: the actions of routes that name one. @default every one */
  readonly actions?: readonly string[];
  /** The name of its key, for the audit log. */
  readonly keyId?: string;
}

/** The authenticated caller. */
export type Principal = UserPrincipal | ClientPrincipal;

/** The ways to present a credential. */
export type CredentialScheme = "api-key" | "bearer" | "token";
