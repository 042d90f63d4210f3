import { Hono } from "hono";
import { z } from "zod";
import type { ForumNotifications } from "./notifications.ts";

/** The variables of a request of somebody who signed in. */
export interface SignedIn {
  readonly Variables: { readonly user: string };
}

const choice = z.object({ category: z.string(), channel: z.string(), value: z.enum(["on", "off"]) });
const settings = z.object({ timeZone: z.string(), quietHours: z.object({ from: z.string(), to: z.string() }).nullable() });
const type = z.enum(["post", "reply", "mention"]);
const state = z.enum(["read", "unread", "pinned", "unpinned", "archived", "unarchived"]);

/** What users want to get, why they get it, and what they do with what they got. */
export function userRoutes(notifications: ForumNotifications): Hono<SignedIn> {
  const app = new Hono<SignedIn>();
  app.get("/preferences", async (context) => context.json(await notifications.preferences.list(context.var.user)));
  app.put("/preferences", async (context) => {
    const { value, ...target } = choice.parse(await context.req.json());
    await notifications.preferences.set(context.var.user, target, value);
    return context.body(null, 204);
  });
  app.put("/settings", async (context) => {
    await notifications.preferences.setSettings(context.var.user, settings.parse(await context.req.json()));
    return context.body(null, 204);
  });
  app.get("/why/:type", async (context) => {
    return context.json(await notifications.explain(context.var.user, type.parse(context.req.param("type"))));
  });
  app.post("/inbox/seen", async (context) => {
    await notifications.inbox(context.var.user).markAllSeen();
    return context.body(null, 204);
  });
  // A user's inbox by discussion: the newest item of each, how many are unread, and who began.
  app.get("/threads", async (context) => context.json((await notifications.inbox(context.var.user).groups()).groups));
  app.put("/threads/:post/read", async (context) => {
    await notifications
      .inbox(context.var.user)
      .group(`post:${context.req.param("post")}`)
      .mark("read");
    return context.body(null, 204);
  });
  app.put("/threads/:post/muted", async (context) => {
    await notifications.topics.mute(`post:${context.req.param("post")}`, context.var.user);
    return context.body(null, 204);
  });
  app.delete("/threads/:post/muted", async (context) => {
    await notifications.topics.unmute(`post:${context.req.param("post")}`, context.var.user);
    return context.body(null, 204);
  });
  app.put("/inbox/:id/states/:state", async (context) => {
    const { id, state: change } = context.req.param();
    await notifications.inbox(context.var.user).markMany([id], state.parse(change));
    return context.body(null, 204);
  });
  app.put("/inbox/:id/snooze", async (context) => {
    const { until } = z.object({ until: z.coerce.date() }).parse(await context.req.json());
    await notifications.inbox(context.var.user).snooze(context.req.param("id"), until);
    return context.body(null, 204);
  });
  return app;
}
