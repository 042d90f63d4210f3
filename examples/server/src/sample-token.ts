import { SignJWT } from "jose";

/** Makes a token of `user` that is valid for a day, for trying the server out. */
export function sampleToken(secret: string, user: string): Promise<string> {
  const token = new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setSubject(user).setExpirationTime("1d");
  return token.sign(new TextEncoder().encode(secret));
}
