import { SignJWT } from "jose";

/** A token of `user`, good for a day, for whoever tries the server out. */
export function sampleToken(secret: string, user: string): Promise<string> {
  const token = new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setSubject(user).setExpirationTime("1d");
  return token.sign(new TextEncoder().encode(secret));
}
