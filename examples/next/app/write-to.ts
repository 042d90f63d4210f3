"use server";

import { cookies } from "next/headers";
import { notifications } from "../server/notifications.ts";
import { readSession, SESSION_COOKIE, USERS } from "../server/session.ts";

/** Notifies the user whom the form names, in the name of who is signed in. */
export async function writeTo(form: FormData): Promise<void> {
  const session = await readSession((await cookies()).get(SESSION_COOKIE)?.value);
  const to = USERS.find((user) => user === form.get("to"));
  const text = form.get("text");
  if (session !== null && to !== undefined && typeof text === "string") {
    await notifications.create({ type: "comment", to, actor: session.user, data: { author: session.user, text: text.slice(0, 500) } });
  }
}
