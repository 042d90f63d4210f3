import { z } from "zod";
import { integer, list, text, timestamp } from "../../http/parameters.ts";
import { defineRoute, given, type Route, reply } from "../../http/route.ts";
import { errors } from "../native/failure.ts";
import { BASE } from "../native/own-inbox.ts";

const NAME_LENGTH = 255;
const MAX_USERS = 1_000;
const PATH = `${BASE}/subscribers`;

const topic = text({ minLength: 1, maxLength: NAME_LENGTH, description: "The topic, a path such as `post:7/replies`" });
const users = list(text({ minLength: 1, maxLength: NAME_LENGTH, description: "A user's id" }), {
  max: MAX_USERS,
  items: "string",
  description: "The users, 1,000 at the most",
});
const subscriberSchema = z
  .object({
    userId: z.string(),
    deep: z.boolean().meta({ description: "Whether it counts for the topics below, too" }),
    channels: z.array(z.string()).nullable().meta({ description: "The only channels that it is meant for; null for every one" }),
    createdAt: timestamp,
  })
  .meta({ id: "Subscriber" });

/** The routes of who subscribes to which topic. */
export const subscriberRoutes: readonly Route[] = [
  defineRoute("GET", PATH, {
    operationId: "listSubscribers",
    summary: "List the subscribers of a topic, by user id",
    query: z.strictObject({
      topic,
      limit: integer({ min: 1, max: 1_000, description: "How many at the most" }).default(100),
      cursor: text({ maxLength: 1_000, description: "The nextCursor of the page before" }).optional(),
    }),
    responses: {
      200: { description: "One page", schema: z.object({ subscribers: z.array(subscriberSchema), nextCursor: z.string().nullable() }) },
      ...errors(400, 422),
    },
    async handle({ tenant, query: { topic: of, ...page } }) {
      const { subscriptions, nextCursor } = await tenant.topics.subscribers(of, given(page));
      const subscribers = subscriptions.map(({ userId, deep, channels, createdAt }) => ({ userId, deep, channels, createdAt }));
      return reply({ subscribers, nextCursor });
    },
  }),
  defineRoute("POST", PATH, {
    operationId: "subscribeUsers",
    summary: "Subscribe users to a topic, or change their subscriptions; what is left out stays",
    body: z.strictObject({
      topic,
      users,
      deep: z.boolean().optional().meta({ description: "Whether it counts for the topics below, too" }),
      channels: z.array(z.string()).max(100).nullable().optional().meta({ description: "The only channels; null for every one" }),
    }),
    responses: { 200: { description: "They are subscribed", schema: z.object({ subscribed: z.int() }) }, ...errors(422) },
    async handle({ tenant, body: { topic: to, users: named, deep, channels } }) {
      const terms = { ...(deep === undefined ? {} : { deep }), ...(channels === undefined ? {} : { channels }) };
      return reply({ subscribed: await tenant.topics.subscribe(to, named, terms) });
    },
  }),
  defineRoute("POST", `${PATH}/remove`, {
    operationId: "unsubscribeUsers",
    summary: "End subscriptions of users to a topic",
    body: z.strictObject({ topic, users }),
    responses: { 200: { description: "They are not subscribed", schema: z.object({ unsubscribed: z.int() }) }, ...errors(422) },
    async handle({ tenant, body: { topic: from, users: named } }) {
      return reply({ unsubscribed: await tenant.topics.unsubscribe(from, named) });
    },
  }),
];
