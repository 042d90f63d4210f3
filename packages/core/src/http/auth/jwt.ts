import { createLocalJWKSet, createRemoteJWKSet, type JSONWebKeySet, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from "jose";
import { BelfryError } from "../../foundation/errors.ts";
import { NAME_RULE, textIssue } from "../../foundation/parse-text.ts";
import type { UserPrincipal } from "../principal.ts";

/** How users' JSON Web Tokens are checked. One of `secret` and `jwks` is required. */
export interface JwtOptions {
  /** The shared secret of tokens signed with HS256; no other algorithm is accepted with it. */
  readonly secret?: string | Uint8Array;
  /** The issuer's public keys, or where they are published; RS256, PS256, ES256 and EdDSA are accepted. */
  readonly jwks?: JSONWebKeySet | URL;
  /** The `iss` a token must have. @default any */
  readonly issuer?: string | readonly string[];
  /** The `aud` a token must have. @default any */
  readonly audience?: string | readonly string[];
  /** Tolerated clock difference, in seconds. @default 0 */
  readonly clockToleranceS?: number;
}

const PUBLIC_KEY_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];

/** Checks tokens (RFC 7519) with a fixed set of algorithms (RFC 8725, 3.1). A token needs `sub`, the user, and `exp`. */
export function jwtVerifier(options: JwtOptions, defaultTenant: string): (token: string) => Promise<UserPrincipal | null> {
  const verify = verifier(options);
  return async (token) => {
    const payload = await verify(token);
    if (payload === null || payload.exp === undefined) {
      return null;
    }
    const tenant = payload.client_id ?? defaultTenant;
    if (textIssue(payload.sub, [], NAME_RULE) || textIssue(tenant, [], NAME_RULE)) {
      return null;
    }
    return { kind: "user", tenant: tenant as string, userId: payload.sub as string, expiresAt: payload.exp * 1_000 };
  };
}

function verifier(options: JwtOptions) {
  const shared: JWTVerifyOptions = {
    requiredClaims: ["exp", "sub"],
    clockTolerance: options.clockToleranceS ?? 0,
    ...(options.issuer === undefined ? {} : { issuer: asList(options.issuer) }),
    ...(options.audience === undefined ? {} : { audience: asList(options.audience) }),
  };
  if (options.secret !== undefined) {
    const key = typeof options.secret === "string" ? new TextEncoder().encode(options.secret) : options.secret;
    if (key.length === 0) {
      throw new BelfryError("CONFIGURATION", "The JWT secret is empty. Set a random one of at least 32 bytes.");
    }
    return async (token: string) => {
      const result = await jwtVerify(token, key, { ...shared, algorithms: ["HS256"] }).catch(() => null);
      return result?.payload ?? null;
    };
  }
  const keys = keySet(options);
  return async (token: string) => {
    const result = await jwtVerify(token, keys, { ...shared, algorithms: PUBLIC_KEY_ALGORITHMS }).catch(() => null);
    return result?.payload ?? null;
  };
}

function keySet({ jwks }: JwtOptions): JWTVerifyGetKey {
  if (jwks === undefined) {
    throw new BelfryError("CONFIGURATION", "auth.jwt needs a secret (HS256) or jwks (public keys).");
  }
  return jwks instanceof URL ? createRemoteJWKSet(jwks) : createLocalJWKSet(jwks);
}

function asList(value: string | readonly string[]): string[] {
  return typeof value === "string" ? [value] : [...value];
}
