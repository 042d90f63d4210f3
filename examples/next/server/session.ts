import { jwtVerify, SignJWT } from "jose";

/** The cookie that says who is signed in. */
export const SESSION_COOKIE = "session";
export const SESSION_SECONDS = 12 * 60 * 60;

/** Who can sign in, without a password: **replace all of this file by your own sessions**. */
export const USERS = ["Ann", "Bob"] as const;

const secret = new TextEncoder().encode(process.env.SESSION_SECRET ?? "only-for-trying-it-out-0123456789");

/** Who is signed in, and until when, in milliseconds since 1970. */
export interface Session {
  readonly user: string;
  readonly endsAt: number;
}

/** Makes the value of the cookie. */
export function signSession(user: string): Promise<string> {
  return new SignJWT().setProtectedHeader({ alg: "HS256" }).setSubject(user).setExpirationTime(`${SESSION_SECONDS}s`).sign(secret);
}

/** Reads the value of the cookie; null if it is missing, forged or too old. */
export async function readSession(value: string | undefined): Promise<Session | null> {
  if (value === undefined) {
    return null;
  }
  const verified = await jwtVerify(value, secret, { algorithms: ["HS256"], requiredClaims: ["sub", "exp"] }).catch(() => null);
  const { sub, exp } = verified?.payload ?? {};
  return sub === undefined || exp === undefined ? null : { user: sub, endsAt: exp * 1_000 };
}
