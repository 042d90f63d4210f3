import { z } from "zod";
import type { Acting } from "../../delivery/index.ts";
import { integer, jsonObject, text, timestamp, uuid } from "../../http/parameters.ts";
import { defineRoute, given, type Route, type RouteContext, reply } from "../../http/route.ts";
import type { UntypedCreateInput, UntypedTopicInput } from "../../notifications/index.ts";
import { isoDate } from "../iso-date.ts";
import { errors } from "../native/failure.ts";
import { keyHeaders } from "../native/idempotency-key.ts";
import { BASE } from "../native/own-inbox.ts";
import { deliveryJson, deliverySchema, sendJson, sendSchema } from "./tracked.ts";

const NAME_LENGTH = 255;
const ONE = `${BASE}/notifications/{id}`;
const params = z.object({ id: uuid("The notification's id") });

/** A member that the verb itself checks, piece by piece where it is long. */
function checkedByVerb(override: Readonly<Record<string, unknown>>, description: string) {
  return z.unknown().meta({ description, override });
}

const texts = (description: string) =>
  checkedByVerb({ oneOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] }, description);
const time = (description: string) => checkedByVerb({ type: "string", format: "date-time" }, description).optional();
const name = (description: string) => text({ minLength: 1, maxLength: NAME_LENGTH, description }).optional();

const recipient = { oneOf: [{ type: "string" }, { type: "object", additionalProperties: { type: "string" } }] };

const createBody = z
  .strictObject({
    to: checkedByVerb(
      { oneOf: [...recipient.oneOf, { type: "array", items: recipient }] },
      'A user\'s id, an address such as `{"email": "…"}`, a list of both, or `everyone`',
    ).optional(),
    topic: texts("Topics whose subscribers get it").optional(),
    except: texts("Users who do not get it after all").optional(),
    standing: z.boolean().optional().meta({ description: "To everyone: users whose inbox begins later get it, too" }),
    type: name("A declared type, if the host declares some; `notification` if it is left out"),
    title: checkedByVerb({ type: "string" }, "At most 1,000 characters").optional(),
    message: checkedByVerb({ type: "string" }, "At most 10,000 characters").optional(),
    url: checkedByVerb({ type: "string" }, "Where it leads").optional(),
    data: jsonObject("What the type's schema accepts, at most 256 KiB").optional(),
    actions: checkedByVerb({ type: "array", items: { type: "object" } }, "Up to five links: `label` and `url`").optional(),
    actor: name("Who caused it"),
    source: name("The service that it comes from"),
    priority: checkedByVerb({ enum: ["low", "normal", "high", "urgent"] }, "How much it matters").optional(),
    channels: checkedByVerb({ type: "array", items: { type: "string" } }, "The channels over which users get it").optional(),
    fallback: checkedByVerb({ oneOf: [{ type: "boolean" }, { type: "object" }] }, "What stands in: `channel` and `afterMs`").optional(),
    scheduledAt: time("When it goes out"),
    expiresAt: time("From when it is of no use"),
    roomId: name("The room that it belongs to"),
    group: name("What it belongs to, such as a thread"),
    replace: name("What it is the news of"),
  })
  .meta({ id: "Create" });

const createdSchema = z
  .object({
    id: z.uuid(),
    type: z.string(),
    createdAt: timestamp,
    items: z.array(z.object({ userId: z.string(), seq: z.int() })).meta({
      description: "The items that are in inboxes already; none where they follow in the background, and for a repetition",
    }),
  })
  .meta({ id: "Created" });

const headers = keyHeaders("Makes a repetition of this request within 24 hours create nothing, and answer with the same id");

/** Names the caller for the audit log. */
export function actingOf({ tenant, principal }: Pick<RouteContext, "tenant" | "principal">): Acting {
  const key = principal.kind === "client" ? principal.keyId : undefined;
  return { actor: key === undefined ? `client:${tenant.tenantId}`.slice(0, NAME_LENGTH) : `key:${key}` };
}

/** The routes that create notifications, and say what became of them. */
export const notificationRoutes: readonly Route[] = [
  defineRoute("POST", `${BASE}/notifications`, {
    operationId: "createNotification",
    summary: "Create a notification, for users, addresses, subscribers of topics or everyone",
    body: createBody,
    headers,
    isRateLimited: true,
    responses: { 201: { description: "It is stored", schema: createdSchema }, ...errors(409, 422) },
    async handle({ tenant, body, request }) {
      const key = request.headers["idempotency-key"];
      const input = given({ ...body, idempotencyKey: key }) as UntypedCreateInput | UntypedTopicInput;
      const { notification, items } = await tenant.createUntyped(input);
      const { id, type, createdAt } = notification;
      return reply({ id, type, createdAt: isoDate(createdAt), items: items.map(({ userId, seq }) => ({ userId, seq })) }, 201);
    },
  }),
  defineRoute("GET", ONE, {
    operationId: "getNotification",
    summary: "Get a notification that has deliveries, with its status",
    params,
    responses: { 200: { description: "The notification", schema: sendSchema }, ...errors(404, 422) },
    handle: async ({ tenant, params: { id } }) => reply(sendJson(await tenant.get(id))),
  }),
  defineRoute("GET", `${ONE}/deliveries`, {
    operationId: "listDeliveries",
    summary: "List the deliveries of a notification with their attempts, in the order of its recipients",
    params,
    query: z.strictObject({
      offset: integer({ min: 0, description: "How many to leave out" }).default(0),
      limit: integer({ min: 1, max: 100, description: "How many at the most" }).default(20),
    }),
    responses: {
      200: { description: "One page", schema: z.object({ deliveries: z.array(deliverySchema), total: z.int() }) },
      ...errors(404, 422),
    },
    async handle({ tenant, params: { id }, query }) {
      const { deliveries, total } = await tenant.deliveries(id, query);
      return reply({ deliveries: deliveries.map(deliveryJson), total });
    },
  }),
  defineRoute("POST", `${ONE}/cancel`, {
    operationId: "cancelNotification",
    summary: "Cancel a notification of which nothing has gone out; of one for more than 1,000, what has not",
    params,
    responses: { 200: { description: "The notification as it is now", schema: sendSchema }, ...errors(404, 409, 422) },
    handle: async (context) => reply(sendJson(await context.tenant.cancel(context.params.id, actingOf(context)))),
  }),
  defineRoute("POST", `${ONE}/retry`, {
    operationId: "retryNotification",
    summary: "Retry what failed of a notification",
    params,
    responses: { 200: { description: "The notification as it is now", schema: sendSchema }, ...errors(404, 409, 422) },
    handle: async (context) => reply(sendJson(await context.tenant.retry(context.params.id, actingOf(context)))),
  }),
];
