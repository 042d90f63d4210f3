import { z } from "zod";
import type { SubscribeOptions } from "../../audiences/index.ts";
import { BelfryError } from "../../foundation/errors.ts";
import { integer, text, timestamp } from "../../http/parameters.ts";
import type { UserPrincipal } from "../../http/principal.ts";
import { defineRoute, given, type Route, type RouteContext, reply } from "../../http/route.ts";
import { errors } from "./failure.ts";
import { BASE, userOf } from "./own-inbox.ts";

/** Says whether a user may subscribe to a topic, and see that they do. */
export type AllowTopic = (topic: string, user: UserPrincipal) => boolean | Promise<boolean>;

const TOPIC_LENGTH = 255;

const params = z.object({
  topic: text({ minLength: 1, maxLength: TOPIC_LENGTH, description: "The topic, a path such as `post:7/replies`" }),
});
const subscriptionSchema = z
  .object({
    topic: z.string(),
    deep: z.boolean().meta({ description: "Whether it counts for the topics below, too" }),
    channels: z.array(z.string()).nullable().meta({ description: "The only channels that it is meant for; null for every one" }),
    createdAt: timestamp,
  })
  .meta({ id: "Subscription" });

const subscriptionBody = z.strictObject({ deep: z.boolean().optional(), channels: z.array(z.string()).max(100).nullable().optional() });

/** What a body says of a subscription: `channels: null` is every channel again. */
function subscriptionOptions({ deep, channels }: z.output<typeof subscriptionBody> = {}): SubscribeOptions {
  return { ...(deep === undefined ? {} : { deep }), ...(channels === undefined ? {} : { channels }) };
}

/** The routes of the caller's own subscriptions. */
export function topicRoutes(allow: AllowTopic): readonly Route[] {
  const requireAllowed = async (context: RouteContext<{ readonly topic: string }>): Promise<string> => {
    const { topic } = context.params;
    if ((await allow(topic, userOf(context))) !== true) {
      throw new BelfryError("FORBIDDEN", `The topic ${JSON.stringify(topic)} is not one that the caller may subscribe to.`);
    }
    return topic;
  };
  return [
    defineRoute("GET", `${BASE}/topics`, {
      operationId: "listSubscriptions",
      summary: "List the caller's subscriptions by topic, those that the host allows users to see",
      query: z.strictObject({
        prefix: text({ maxLength: TOPIC_LENGTH, description: "Only topics of this path, and below it" }).optional(),
        limit: integer({ min: 1, max: 100, description: "How many at the most" }).default(20),
        cursor: text({ maxLength: 1_000, description: "The nextCursor of the page before" }).optional(),
      }),
      responses: {
        200: {
          description: "One page; it may be shorter than its limit before the end",
          schema: z.object({ subscriptions: z.array(subscriptionSchema), nextCursor: z.string().nullable() }),
        },
        ...errors(400, 422),
      },
      async handle(context) {
        const user = userOf(context);
        const page = await context.tenant.topics.subscriptions(user.userId, given(context.query));
        const allowed = await Promise.all(page.subscriptions.map(({ topic }) => allow(topic, user)));
        const subscriptions = page.subscriptions.flatMap(({ topic, deep, channels, createdAt }, index) =>
          allowed[index] === true ? [{ topic, deep, channels, createdAt }] : [],
        );
        return reply({ subscriptions, nextCursor: page.nextCursor });
      },
    }),
    defineRoute("PUT", `${BASE}/topics/{topic*}`, {
      operationId: "subscribe",
      summary: "Subscribe the caller to a topic, or change the subscription; what is left out stays",
      params,
      body: subscriptionBody,
      bodyOptional: true,
      responses: { 204: { description: "The caller is subscribed" }, ...errors(403, 422) },
      async handle(context) {
        const topic = await requireAllowed(context);
        await context.tenant.topics.subscribe(topic, userOf(context).userId, subscriptionOptions(context.body));
        return { status: 204 };
      },
    }),
    defineRoute("DELETE", `${BASE}/topics/{topic*}`, {
      operationId: "unsubscribe",
      summary: "End the caller's subscription to a topic",
      params,
      responses: { 204: { description: "The caller is not subscribed" }, ...errors(403, 422) },
      async handle(context) {
        const topic = await requireAllowed(context);
        await context.tenant.topics.unsubscribe(topic, userOf(context).userId);
        return { status: 204 };
      },
    }),
  ];
}
