import { z } from "zod";
import { jsonObject, text } from "../../http/parameters.ts";
import { defineRoute, type Route } from "../../http/route.ts";
import { errors } from "./failure.ts";
import { handlerSchema, type ListStyle, listReply, listSchema, prompt, rangeQuery, renderHandler, sourceService } from "./schemas.ts";

const BASE = "/notification-handlers";
const params = z.object({ handler_id: z.string().meta({ description: "The handler's id" }) });
const filter = jsonObject("Conditions on the metadata, all of which must hold; `{}` fits everything of the source").nullish();

const createBody = z.object({ source_service: sourceService, prompt, metadata_filter: filter }).meta({ id: "CreateNotificationHandler" });

const updateBody = z
  .object({ source_service: sourceService.nullish(), prompt: prompt.nullish(), metadata_filter: filter })
  .meta({ id: "UpdateNotificationHandler" });

const listQuery = z.object({
  source_service: text({ maxLength: 255, description: "Only of this service" }).optional(),
  ...rangeQuery,
});

const createRoute = defineRoute({
  method: "POST",
  path: BASE,
  operationId: "createNotificationHandler",
  summary: "Create a handler",
  body: createBody,
  isRateLimited: true,
  responses: { 201: { description: "The handler", schema: handlerSchema }, ...errors(422) },
  async handle({ tenant, body }) {
    const { source_service: source, metadata_filter: given } = body;
    const handler = await tenant.hub.handlers.create({ source, prompt: body.prompt, ...(given ? { filter: given } : {}) });
    return { status: 201, json: renderHandler(handler) };
  },
});

const getRoute = defineRoute({
  method: "GET",
  path: `${BASE}/{handler_id}`,
  operationId: "getNotificationHandler",
  summary: "Get a handler",
  params,
  responses: { 200: { description: "The handler", schema: handlerSchema }, ...errors(404) },
  async handle({ tenant, params: { handler_id: id } }) {
    return { status: 200, json: renderHandler(await tenant.hub.handlers.get(id)) };
  },
});

const updateRoute = defineRoute({
  method: "PUT",
  path: `${BASE}/{handler_id}`,
  operationId: "updateNotificationHandler",
  summary: "Change the given fields of a handler",
  params,
  body: updateBody,
  responses: { 200: { description: "The handler as it is now", schema: handlerSchema }, ...errors(404, 422) },
  async handle({ tenant, params: { handler_id: id }, body }) {
    const { source_service: source, metadata_filter: given } = body;
    const changes = { ...(source && { source }), ...(body.prompt && { prompt: body.prompt }), ...(given && { filter: given }) };
    return { status: 200, json: renderHandler(await tenant.hub.handlers.update(id, changes)) };
  },
});

const removeRoute = defineRoute({
  method: "DELETE",
  path: `${BASE}/{handler_id}`,
  operationId: "deleteNotificationHandler",
  summary: "Delete a handler; its records stay",
  params,
  responses: {
    200: { description: "It is gone", schema: z.object({ success: z.literal(true), message: z.string() }) },
    ...errors(404),
  },
  async handle({ tenant, params: { handler_id: id } }) {
    await tenant.hub.handlers.remove(id);
    return { status: 200, json: { success: true, message: "Handler deleted successfully" } };
  },
});

/** The routes of handlers. */
export function handlerRoutes(lists: ListStyle): readonly Route[] {
  const listRoute = defineRoute({
    method: "GET",
    path: BASE,
    operationId: "listNotificationHandlers",
    summary: "List handlers, newest first",
    query: listQuery,
    responses: { 200: { description: "One page", schema: listSchema("handlers", handlerSchema, lists) }, ...errors(422) },
    async handle({ tenant, query }) {
      const { source_service: source, limit, offset } = query;
      const page = await tenant.hub.handlers.list({ limit, offset, ...(source && { source }) });
      return listReply("handlers", page, { lists, limit, offset, render: renderHandler });
    },
  });
  return [createRoute, listRoute, getRoute, updateRoute, removeRoute];
}
