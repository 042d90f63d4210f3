import type { DataOf, Notification, NotificationService } from "@belfry/core";
import { z } from "zod";
import type { demoTypes } from "./demo-types.ts";
import { DEMO_TOPIC, DEMO_USERS } from "./demo-users.ts";

/** The service of a demo. */
export type DemoService = NotificationService<DataOf<typeof demoTypes>>;

/** What the form of the page sends. */
export const demoInput = z.strictObject({
  type: z.enum(["comment", "mention", "news"]),
  /** Who gets a mention. */
  user: z.enum(DEMO_USERS.map(({ id }) => id)),
  text: z.string().min(1).max(500),
});

/** The author of all that the page creates. */
const AUTHOR = "Carla";

/** Creates what the form asks for: a comment for those who follow the post, a mention for one user, news for everyone. */
export async function createForDemo(notifications: DemoService, { type, user, text }: z.infer<typeof demoInput>): Promise<Notification> {
  const data = { author: AUTHOR, text };
  const create = {
    comment: () => notifications.create({ type: "comment", topic: DEMO_TOPIC, data }),
    mention: () => notifications.create({ type: "mention", to: user, data }),
    news: () => notifications.create({ type: "news", to: "everyone", data }),
  };
  return (await create[type]()).notification;
}

/** Lets the users follow the post, and welcomes those whose inbox is empty. */
export async function prepareDemo(notifications: DemoService): Promise<void> {
  for (const { id, name } of DEMO_USERS) {
    const { total } = await notifications.inbox(id).counts();
    if (total === 0) {
      await notifications.topics.subscribe(DEMO_TOPIC, id);
      await notifications.create({ type: "news", to: [id], data: { author: "Belfry", text: `Welcome, ${name}: this is your inbox.` } });
    }
  }
}
