import { z } from "zod";
import { jsonObject, text } from "../../http/parameters.ts";
import { defineRoute, type Route } from "../../http/route.ts";
import { errors } from "./failure.ts";
import {
  content,
  eventSchema,
  type ListStyle,
  listReply,
  listSchema,
  rangeQuery,
  recordSchema,
  renderEvent,
  renderRecord,
  senderId,
  sourceService,
} from "./schemas.ts";

const BASE = "/notifications";
const params = z.object({ notification_id: z.string().meta({ description: "The notification's id" }) });

const createBody = z
  .object({
    source_service: sourceService,
    sender_id: senderId,
    content,
    metadata: jsonObject("What handlers' filters look at").nullish(),
  })
  .meta({ id: "CreateNotification" });

const listQuery = z.object({
  source_service: text({ maxLength: 255, description: "Only of this service" }).optional(),
  sender_id: text({ maxLength: 255, description: "Only of this sender" }).optional(),
  ...rangeQuery,
});

const createRoute = defineRoute({
  method: "POST",
  path: BASE,
  operationId: "createNotification",
  summary: "Create a notification and trigger its processing",
  body: createBody,
  isRateLimited: true,
  responses: {
    201: { description: "It is stored, and goes to its handlers", schema: z.object({ id: z.string() }) },
    ...errors(422),
  },
  async handle({ tenant, body }) {
    const { source_service: source, sender_id: sender, metadata } = body;
    const { id } = await tenant.hub.events.create({ source, sender, content: body.content, ...(metadata ? { metadata } : {}) });
    return { status: 201, json: { id } };
  },
});

const getRoute = defineRoute({
  method: "GET",
  path: `${BASE}/{notification_id}`,
  operationId: "getNotification",
  summary: "Get a notification",
  params,
  responses: { 200: { description: "The notification", schema: eventSchema }, ...errors(404) },
  async handle({ tenant, params: { notification_id: id } }) {
    return { status: 200, json: renderEvent(await tenant.hub.events.get(id)) };
  },
});

const recordsRoute = defineRoute({
  method: "GET",
  path: `${BASE}/{notification_id}/processing`,
  operationId: "listProcessingRecords",
  summary: "Get what a notification's handlers made of it",
  params,
  responses: { 200: { description: "A record for each handler", schema: z.array(recordSchema) }, ...errors(404) },
  async handle({ tenant, params: { notification_id: id } }) {
    return { status: 200, json: (await tenant.hub.events.records(id)).map(renderRecord) };
  },
});

/** The routes of notifications. */
export function eventRoutes(lists: ListStyle): readonly Route[] {
  const listRoute = defineRoute({
    method: "GET",
    path: BASE,
    operationId: "listNotifications",
    summary: "List notifications, newest first",
    query: listQuery,
    responses: { 200: { description: "One page", schema: listSchema("notifications", eventSchema, lists) }, ...errors(422) },
    async handle({ tenant, query }) {
      const { source_service: source, sender_id: sender, limit, offset } = query;
      const page = await tenant.hub.events.list({ limit, offset, ...(source && { source }), ...(sender && { sender }) });
      return listReply("notifications", page, { lists, limit, offset, render: renderEvent });
    },
  });
  return [createRoute, listRoute, getRoute, recordsRoute];
}
