"use server";

import { cookies } from "next/headers";
import { SESSION_COOKIE, SESSION_SECONDS, signSession, USERS } from "../server/session.ts";

/** Signs in whoever the button names. */
export async function signIn(form: FormData): Promise<void> {
  const user = USERS.find((name) => name === form.get("user"));
  if (user !== undefined) {
    const value = await signSession(user);
    (await cookies()).set(SESSION_COOKIE, value, { httpOnly: true, sameSite: "lax", path: "/", maxAge: SESSION_SECONDS });
  }
}

/** Signs out. */
export async function signOut(): Promise<void> {
  (await cookies()).delete(SESSION_COOKIE);
}
