import { jwtVerify, SignJWT } from "jose";

/** Who there is. Everybody can have the token of either: **replace all of this file by your own sessions**. */
export const USERS = ["Ann", "Bob"] as const;

const keyOf = (secret: string) => new TextEncoder().encode(secret);

/** Makes the token with which a user's inbox may be asked. */
export function signToken(user: string, secret: string): Promise<string> {
  return new SignJWT().setProtectedHeader({ alg: "HS256" }).setSubject(user).setExpirationTime("15m").sign(keyOf(secret));
}

/** Reads who asks from the header `Authorization`; null for nobody. */
export async function userOf(authorization: string | undefined, secret: string): Promise<string | null> {
  const [, token = ""] = /^Bearer (.+)$/.exec(authorization ?? "") ?? [];
  const options = { algorithms: ["HS256"], requiredClaims: ["sub", "exp"] };
  const verified = await jwtVerify(token, keyOf(secret), options).catch(() => null);
  return verified?.payload.sub ?? null;
}
