import { honoBelfry } from "@belfry/adapter-hono";
import { BelfryError, HTTP_STATUS } from "@belfry/core";
import { inboxV1 } from "@belfry/core/contracts";
import type { AuthFunction } from "@belfry/core/http";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { z } from "zod";
import type { Database, Post } from "./database.ts";
import { Forum } from "./forum.ts";
import type { ForumNotifications } from "./notifications.ts";
import { type SignedIn, userRoutes } from "./user-routes.ts";

/** Titles are one line: they become subjects of mails. */
const title = z.string().max(200).regex(/^.+$/);
const newPost = z.object({ title, text: z.string(), closesAt: z.string().optional() });
const newReply = z.object({ text: z.string().min(1) });

/** The header that says who asks. It is for trying the forum out: everybody can claim to be anybody. A real host checks a session here. */
const USER_HEADER = "x-user";

/** Makes the HTTP application, the forum's own routes beside Belfry's, and Belfry's part of it, which a server has to know. */
export function forumApp(database: Database, notifications: ForumNotifications) {
  const forum = new Forum(database, notifications);
  const isUser = (id: string | undefined): id is string => id !== undefined && database.usersOf([id]).length > 0;
  const postOf = (id: string): Post => {
    const post = database.post(id);
    if (post === undefined) {
      throw new HTTPException(404, { message: `There is no post ${id}.` });
    }
    return post;
  };

  const app = new Hono<SignedIn>();
  app.onError((error, context) => context.json({ error: error.message }, statusOf(error)));

  // Belfry answers the inbox of whoever asks, its live events, and the links to unsubscribe.
  const auth: AuthFunction = ({ headers: { [USER_HEADER]: userId } }) =>
    isUser(userId) ? { kind: "user", tenant: "default", userId } : null;
  const belfry = honoBelfry(notifications, { contracts: [inboxV1()], auth });
  app.route("/", belfry);

  app.use(async (context, next) => {
    const user = context.req.header(USER_HEADER);
    if (!isUser(user)) {
      throw new HTTPException(401, { message: `Say who you are, in the header ${USER_HEADER}.` });
    }
    context.set("user", user);
    await next();
  });
  app.post("/posts", async (context) => {
    return context.json(await forum.post(context.var.user, newPost.parse(await context.req.json())), 201);
  });
  app.get("/posts/:id", (context) => {
    const post = postOf(context.req.param("id"));
    return context.json({ ...post, replies: database.replies(post.id) });
  });
  app.post("/posts/:id/replies", async (context) => {
    const { text } = newReply.parse(await context.req.json());
    return context.json(await forum.reply(context.var.user, postOf(context.req.param("id")), text), 201);
  });
  app.put("/posts/:id/followers/me", async (context) => {
    await forum.follow(postOf(context.req.param("id")), context.var.user);
    return context.body(null, 204);
  });
  app.route("/me", userRoutes(notifications));
  return { app, belfry };
}

/** The status of an answer to what failed. Belfry's errors have one each. */
function statusOf(error: Error): ContentfulStatusCode {
  if (error instanceof HTTPException) {
    return error.status;
  }
  if (error instanceof BelfryError) {
    return HTTP_STATUS[error.code];
  }
  return error instanceof z.ZodError || error instanceof SyntaxError ? 400 : 500;
}
