import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from "jose";
import { BelfryError } from "../../foundation/errors.ts";
import { describe, NAME_RULE, textIssue } from "../../foundation/parse-text.ts";
import type { UserPrincipal } from "../principal.ts";
import { type Refusal, refused } from "./refusal.ts";

/** An issuer's public keys, as it publishes them (RFC 7517, section 5). */
export interface PublicKeySet {
  /** The keys, each with its type and the members of that type. */
  readonly keys: readonly { readonly kty?: string; readonly [member: string]: unknown }[];
}

/** Options for checking users' JSON Web Tokens. One of `secret` and `jwks` is required. */
export interface JwtOptions {
  /** The shared secret of tokens signed with HS256; no other algorithm is accepted with it. */
  readonly secret?: string | Uint8Array;
  /** The issuer's public keys, or the URL that publishes them. RS256, PS256, ES256 and EdDSA are accepted. */
  readonly jwks?: PublicKeySet | URL;
  /** The `iss` a token must have. @default any */
  readonly issuer?: string | readonly string[];
  /** The `aud` a token must have. @default any */
  readonly audience?: string | readonly string[];
  /** Tolerated clock difference, in seconds. @default 0 */
  readonly clockToleranceS?: number;
}

const PUBLIC_KEY_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];

/**
 * Checks tokens (RFC 7519) with a fixed set of algorithms (RFC 8725, 3.1). A token needs `sub`, the user, as a text, and
 * `exp`. Refresh tokens are refused.
 */
export function jwtVerifier(options: JwtOptions, defaultTenant: string): (token: string) => Promise<UserPrincipal | Refusal> {
  const verify = verifier(options);
  return async (token) => {
    let payload: JWTPayload;
    try {
      payload = await verify(token);
    } catch (error) {
      // An expired token is no guess, because its signature was good.
      return refused(reasonOf(error), { isGuess: !(error instanceof errors.JWTExpired) });
    }
    return userOf(payload, defaultTenant);
  };
}

function userOf(payload: JWTPayload, defaultTenant: string): UserPrincipal | Refusal {
  const tenant = payload.client_id ?? defaultTenant;
  const kinds = [payload.type, payload.token_type, payload.typ];
  if (kinds.includes("refresh")) {
    return refused('its type is "refresh"', { isGuess: false });
  }
  for (const [claim, value] of [
    ["sub", payload.sub],
    ["client_id", tenant],
  ] as const) {
    const issue = textIssue(value, [], NAME_RULE);
    if (issue) {
      return refused(`its ${claim} ${issue.message}`, { isGuess: false });
    }
  }
  return { kind: "user", tenant: tenant as string, userId: payload.sub as string, expiresAt: (payload.exp ?? 0) * 1_000 };
}

/** Returns the reason for the log. jose names the wrong claim and never quotes the token. */
function reasonOf(error: unknown): string {
  return error instanceof errors.JOSEError ? `${error.code}: ${error.message}` : "it is no JSON Web Token";
}

function verifier(options: JwtOptions): (token: string) => Promise<JWTPayload> {
  const shared: JWTVerifyOptions = {
    requiredClaims: ["exp", "sub"],
    clockTolerance: options.clockToleranceS ?? 0,
    ...(options.issuer === undefined ? {} : { issuer: [options.issuer].flat() }),
    ...(options.audience === undefined ? {} : { audience: [options.audience].flat() }),
  };
  if (options.secret !== undefined) {
    const key: unknown = typeof options.secret === "string" ? new TextEncoder().encode(options.secret) : options.secret;
    if (!(key instanceof Uint8Array)) {
      throw new BelfryError("CONFIGURATION", `auth.jwt.secret must be a text or bytes, is ${describe(key)}.`);
    }
    if (key.length === 0) {
      throw new BelfryError("CONFIGURATION", "The JWT secret is empty. Set a random one of at least 32 bytes.");
    }
    return async (token) => (await jwtVerify(token, key, { ...shared, algorithms: ["HS256"] })).payload;
  }
  const keys = keySet(options);
  return async (token) => (await jwtVerify(token, keys, { ...shared, algorithms: PUBLIC_KEY_ALGORITHMS })).payload;
}

function keySet({ jwks }: JwtOptions): JWTVerifyGetKey {
  if (jwks === undefined) {
    throw new BelfryError("CONFIGURATION", "auth.jwt needs a secret (HS256) or jwks (public keys).");
  }
  if (!(jwks instanceof URL) && !(typeof jwks === "object" && Array.isArray(jwks?.keys))) {
    const example = 'new URL("https://…/jwks.json") or { keys: [...] }';
    throw new BelfryError("CONFIGURATION", `auth.jwt.jwks must be ${example}, is ${describe(jwks)}.`);
  }
  // jose checks the members of the keys itself.
  return jwks instanceof URL ? createRemoteJWKSet(jwks) : createLocalJWKSet(jwks as JSONWebKeySet);
}
