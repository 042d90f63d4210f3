import type { ApiKeyScope } from "../service/api-key-storage.ts";

/** A user of a tenant, known by a JWT, a token or the host's own function. */
export interface UserPrincipal {
  readonly kind: "user";
  readonly tenant: string;
  readonly userId: string;
  /** When the credential ends, in milliseconds since 1970: open streams are closed then. */
  readonly expiresAt?: number;
}

/** A client: another service that acts for a whole tenant, known by an API key. */
export interface ClientPrincipal {
  readonly kind: "client";
  readonly tenant: string;
  /** What its key may do. @default everything */
  readonly scopes?: readonly ApiKeyScope[];
  /** Names its key, for the audit log. */
  readonly keyId?: string;
}

/** Who asks. */
export type Principal = UserPrincipal | ClientPrincipal;

/** How a credential is presented. */
export type CredentialScheme = "api-key" | "bearer" | "token";
