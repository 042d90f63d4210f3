import { honoBelfry } from "@belfry/adapter-hono";
import type { NotificationService } from "@belfry/core";
import { native } from "@belfry/core/contracts";
import { Hono } from "hono";
import { z } from "zod";
import { signToken, USERS, userOf } from "./tokens.ts";

const message = z.strictObject({ to: z.enum(USERS), text: z.string().min(1).max(500) });

/** Makes the HTTP application, the contract of the inbox beside routes of its own, and Belfry's part of it, which a server has to know. */
export function vueApp(notifications: NotificationService, secret: string) {
  const belfry = honoBelfry(notifications, { contracts: [native()], auth: { jwt: { secret } } });
  const app = new Hono();
  app.route("/", belfry);
  app.post("/token", async (context) => {
    const user = USERS.find((name) => name === context.req.query("user"));
    return user === undefined ? context.text("There is no such user.", 404) : context.text(await signToken(user, secret));
  });
  app.post("/messages", async (context) => {
    const author = await userOf(context.req.header("authorization"), secret);
    const parsed = message.safeParse(await context.req.json().catch(() => null));
    if (author === null || !parsed.success) {
      return context.body(null, author === null ? 401 : 422);
    }
    const { to, text } = parsed.data;
    await notifications.create({ type: "message", to, actor: author, title: `${author} wrote to you`, message: text });
    return context.body(null, 201);
  });
  return { app, belfry };
}
