import { z } from "zod";
import { VERSION } from "../../foundation/version.ts";
import { integer, jsonObject, text } from "../../http/parameters.ts";
import { defineRoute, given, type Route, reply } from "../../http/route.ts";
import { errors } from "./failure.ts";
import {
  eventSchema,
  handlerSchema,
  identitySchema,
  recordSchema,
  renderEvent,
  renderHandler,
  renderIdentity,
  renderRecord,
} from "./schemas.ts";

const EVENTS = "/notifications";
const HANDLERS = "/notification-handlers";
const IDENTITIES = "/identities";
const MAX_TEXT = 100_000;

const sourceService = name("The service");
const sourceId = name("Their id in that service");
const prompt = text({ minLength: 1, maxLength: MAX_TEXT, description: "What the processor is told to do" });
const conditions = jsonObject("Conditions on the metadata, all of which must hold; `{}` fits everything of the source").nullish();

const eventParams = z.object({ notification_id: z.string().meta({ description: "The notification's id" }) });
const handlerParams = z.object({ handler_id: z.string().meta({ description: "The handler's id" }) });
const identityParams = z.object({ identity_id: z.string().meta({ description: "The identity's id" }) });

const rangeQuery = {
  limit: integer({ min: 1, max: 100, description: "How many at the most" }).default(50),
  offset: integer({ min: 0, description: "How many to leave out" }).default(0),
};
const deletedDoc = { description: "It is gone", schema: z.object({ success: z.literal(true), message: z.string() }) };

const createEvent = defineRoute("POST", EVENTS, {
  operationId: "createNotification",
  summary: "Create a notification and trigger its processing",
  body: z
    .object({
      source_service: sourceService,
      sender_id: name("Who caused it, by that service's own id"),
      content: text({ maxLength: MAX_TEXT, description: "What happened" }),
      metadata: jsonObject("What handlers' filters look at").nullish(),
    })
    .meta({ id: "CreateNotification" }),
  isRateLimited: true,
  responses: { 201: { description: "It is stored, and goes to its handlers", schema: z.object({ id: z.string() }) }, ...errors(422) },
  async handle({ tenant, body: { source_service: source, sender_id: sender, content, metadata } }) {
    const { id } = await tenant.hub.events.create({ source, sender, content, ...given({ metadata }) });
    return reply({ id }, 201);
  },
});

function listEvents(lists: ListStyle): Route {
  return defineRoute("GET", EVENTS, {
    operationId: "listNotifications",
    summary: "List notifications, newest first",
    query: z.object({ source_service: filter("Only of this service"), sender_id: filter("Only of this sender"), ...rangeQuery }),
    responses: listDoc("notifications", eventSchema, lists),
    async handle({ tenant, query: { source_service, sender_id, ...range } }) {
      const filters = given({ source: source_service || undefined, sender: sender_id || undefined });
      const { items, total } = await tenant.hub.events.list({ ...range, ...filters });
      const notifications = items.map(renderEvent);
      return reply(lists === "arrays" ? notifications : { notifications, total, ...range });
    },
  });
}

const getEvent = defineRoute("GET", `${EVENTS}/{notification_id}`, {
  operationId: "getNotification",
  summary: "Get a notification",
  params: eventParams,
  responses: { 200: { description: "The notification", schema: eventSchema }, ...errors(404) },
  handle: async ({ tenant, params }) => reply(renderEvent(await tenant.hub.events.get(params.notification_id))),
});

const listRecords = defineRoute("GET", `${EVENTS}/{notification_id}/processing`, {
  operationId: "listProcessingRecords",
  summary: "Get what a notification's handlers made of it",
  params: eventParams,
  responses: { 200: { description: "A record for each handler", schema: z.array(recordSchema) }, ...errors(404) },
  handle: async ({ tenant, params }) => reply((await tenant.hub.events.records(params.notification_id)).map(renderRecord)),
});

const createHandler = defineRoute("POST", HANDLERS, {
  operationId: "createNotificationHandler",
  summary: "Create a handler",
  body: z.object({ source_service: sourceService, prompt, metadata_filter: conditions }).meta({ id: "CreateNotificationHandler" }),
  isRateLimited: true,
  responses: { 201: { description: "The handler", schema: handlerSchema }, ...errors(422) },
  async handle({ tenant, body }) {
    const { source_service: source, metadata_filter } = body;
    const handler = await tenant.hub.handlers.create({ source, prompt: body.prompt, ...given({ filter: metadata_filter }) });
    return reply(renderHandler(handler), 201);
  },
});

function listHandlers(lists: ListStyle): Route {
  return defineRoute("GET", HANDLERS, {
    operationId: "listNotificationHandlers",
    summary: "List handlers, newest first",
    query: z.object({ source_service: filter("Only of this service"), ...rangeQuery }),
    responses: listDoc("handlers", handlerSchema, lists),
    async handle({ tenant, query: { source_service, ...range } }) {
      const { items, total } = await tenant.hub.handlers.list({ ...range, ...given({ source: source_service || undefined }) });
      const handlers = items.map(renderHandler);
      return reply(lists === "arrays" ? handlers : { handlers, total, ...range });
    },
  });
}

const getHandler = defineRoute("GET", `${HANDLERS}/{handler_id}`, {
  operationId: "getNotificationHandler",
  summary: "Get a handler",
  params: handlerParams,
  responses: { 200: { description: "The handler", schema: handlerSchema }, ...errors(404) },
  handle: async ({ tenant, params }) => reply(renderHandler(await tenant.hub.handlers.get(params.handler_id))),
});

const updateHandler = defineRoute("PUT", `${HANDLERS}/{handler_id}`, {
  operationId: "updateNotificationHandler",
  summary: "Change the given fields of a handler",
  params: handlerParams,
  body: z
    .object({ source_service: sourceService.nullish(), prompt: prompt.nullish(), metadata_filter: conditions })
    .meta({ id: "UpdateNotificationHandler" }),
  responses: { 200: { description: "The handler as it is now", schema: handlerSchema }, ...errors(404, 422) },
  async handle({ tenant, params, body }) {
    const changes = given({ source: body.source_service, prompt: body.prompt, filter: body.metadata_filter });
    return reply(renderHandler(await tenant.hub.handlers.update(params.handler_id, changes)));
  },
});

const deleteHandler = defineRoute("DELETE", `${HANDLERS}/{handler_id}`, {
  operationId: "deleteNotificationHandler",
  summary: "Delete a handler; its records stay",
  params: handlerParams,
  responses: { 200: deletedDoc, ...errors(404) },
  async handle({ tenant, params }) {
    await tenant.hub.handlers.remove(params.handler_id);
    return reply({ success: true, message: "Handler deleted successfully" });
  },
});

const upsertIdentity = defineRoute("POST", IDENTITIES, {
  operationId: "upsertIdentity",
  summary: "Create an identity, or update the one of the same service and id there",
  body: z
    .object({
      source_service: sourceService,
      source_id: sourceId,
      name: name("Their name"),
      metadata: jsonObject("The sender's own; left out, what is known stays").nullish(),
    })
    .meta({ id: "UpsertIdentity" }),
  responses: {
    200: { description: "It was updated", schema: identitySchema },
    201: { description: "It is new", schema: identitySchema },
    ...errors(422),
  },
  async handle({ tenant, body }) {
    const { source_service: source, source_id, metadata } = body;
    const input = { source, sourceId: source_id, name: body.name, ...given({ metadata }) };
    const { identity, isNew } = await tenant.hub.identities.upsert(input);
    return reply(renderIdentity(identity), isNew ? 201 : 200);
  },
});

function listIdentities(lists: ListStyle): Route {
  return defineRoute("GET", IDENTITIES, {
    operationId: "listIdentities",
    summary: "List identities, newest first",
    query: z.object({
      name: filter("A part of the name, in any letter case"),
      source_service: filter("Only of this service"),
      ...rangeQuery,
    }),
    responses: listDoc("identities", identitySchema, lists),
    async handle({ tenant, query: { name: part, source_service, ...range } }) {
      const filters = given({ name: part || undefined, source: source_service || undefined });
      const { items, total } = await tenant.hub.identities.list({ ...range, ...filters });
      const identities = items.map(renderIdentity);
      return reply(lists === "arrays" ? identities : { identities, total, ...range });
    },
  });
}

const getIdentityBySource = defineRoute("GET", `${IDENTITIES}/source/{source_service}/{source_id*}`, {
  operationId: "getIdentityBySource",
  summary: "Get the identity of a service's own id",
  params: z.object({ source_service: sourceService, source_id: sourceId }),
  responses: { 200: { description: "The identity", schema: identitySchema }, ...errors(404, 422) },
  async handle({ tenant, params: { source_service, source_id } }) {
    return reply(renderIdentity(await tenant.hub.identities.getBySource(source_service, source_id)));
  },
});

const getIdentity = defineRoute("GET", `${IDENTITIES}/{identity_id}`, {
  operationId: "getIdentity",
  summary: "Get an identity",
  params: identityParams,
  responses: { 200: { description: "The identity", schema: identitySchema }, ...errors(404) },
  handle: async ({ tenant, params }) => reply(renderIdentity(await tenant.hub.identities.get(params.identity_id))),
});

const deleteIdentity = defineRoute("DELETE", `${IDENTITIES}/{identity_id}`, {
  operationId: "deleteIdentity",
  summary: "Delete an identity; its sender's notifications stay, and show none",
  params: identityParams,
  responses: { 200: deletedDoc, ...errors(404) },
  async handle({ tenant, params }) {
    await tenant.hub.identities.remove(params.identity_id);
    return reply({ success: true, message: "Identity deleted successfully" });
  },
});

const getStatus = defineRoute("GET", "/status", {
  operationId: "getStatus",
  summary: "Check that the API is running",
  isPublic: true,
  responses: { 200: { description: "It is", schema: z.object({ status: z.literal("ok"), version: z.string() }) } },
  handle: async () => reply({ status: "ok", version: VERSION }),
});

/** The form of lists: bare arrays, or objects with the total. */
export type ListStyle = "arrays" | "wrapped";

/** The routes of `hub`. */
export function hubRoutes(lists: ListStyle): readonly Route[] {
  const events = [createEvent, listEvents(lists), getEvent, listRecords];
  const handlers = [createHandler, listHandlers(lists), getHandler, updateHandler, deleteHandler];
  const identities = [upsertIdentity, listIdentities(lists), getIdentityBySource, getIdentity, deleteIdentity];
  return [...events, ...handlers, ...identities, getStatus];
}

function name(description: string) {
  return text({ minLength: 1, maxLength: 255, description });
}

function filter(description: string) {
  return text({ maxLength: 255, description }).optional();
}

function listDoc(listed: string, item: z.ZodType, lists: ListStyle) {
  const items = z.array(item);
  const schema = lists === "arrays" ? items : z.object({ [listed]: items, total: z.int(), limit: z.int(), offset: z.int() });
  return { 200: { description: "One page", schema }, ...errors(422) };
}
