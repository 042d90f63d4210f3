"use server";

import { cookies } from "next/headers";
import { notifications } from "../server/notifications.ts";
import { readSession, SESSION_COOKIE, SESSION_SECONDS, signSession, USERS } from "../server/session.ts";

const userNamed = (name: FormDataEntryValue | null) => USERS.find((user) => user === name);

/** Signs in whoever the button names. */
export async function signIn(form: FormData): Promise<void> {
  const user = userNamed(form.get("user"));
  if (user !== undefined) {
    const value = await signSession(user);
    (await cookies()).set(SESSION_COOKIE, value, { httpOnly: true, sameSite: "lax", path: "/", maxAge: SESSION_SECONDS });
  }
}

/** Signs out. */
export async function signOut(): Promise<void> {
  (await cookies()).delete(SESSION_COOKIE);
}

/** Notifies the user whom the form names, in the name of who is signed in. */
export async function writeTo(form: FormData): Promise<void> {
  const session = await readSession((await cookies()).get(SESSION_COOKIE)?.value);
  const to = userNamed(form.get("to"));
  const text = form.get("text");
  if (session !== null && to !== undefined && typeof text === "string") {
    await notifications.create({ type: "comment", to, actor: session.user, data: { author: session.user, text: text.slice(0, 500) } });
  }
}
