import { defineRoute, given, type Route, reply } from "@belfry/core/http";
import { z } from "zod";
import { activityFilter } from "./activity.ts";
import { actorOf } from "./actor.ts";
import type { ApiContext } from "./context.ts";

/** One request retries at most this many sends: the page shows its progress between requests. */
const MAX_RETRIES = 100;

/** The routes that change sends: retry one or many, cancel, send a test over one of the channels. */
export function sendRoutes(context: ApiContext): readonly Route[] {
  return [
    retryRoute,
    againRoute(context),
    cancelRoute,
    channelsRoute,
    testRoute(context),
    countRetriesRoute(context),
    retryAllRoute(context),
  ];
}

const retryRoute = defineRoute("POST", "/api/sends/{id}/retry", {
  operationId: "retrySend",
  action: "retry",
  summary: "Have what failed tried again",
  params: z.object({ id: z.string() }),
  responses: { 200: { description: "The send" } },
  handle: async ({ tenant, principal, params }) => reply(await tenant.retry(params.id, { actor: actorOf(principal) })),
});

function againRoute({ service }: ApiContext): Route {
  return defineRoute("POST", "/api/sends/{id}/again", {
    operationId: "trySendAgain",
    action: "retry",
    summary: "Try again what failed, and try now what waits for another attempt",
    params: z.object({ id: z.string() }),
    body: z.object({ deliveryId: z.string().optional() }).transform(given),
    bodyOptional: true,
    responses: { 200: { description: "The send" } },
    async handle({ tenant, principal, params, body }) {
      await service.tenant(tenant.tenantId).operator.retry(params.id, { actor: actorOf(principal), ...body });
      return reply(await tenant.get(params.id));
    },
  });
}

const cancelRoute = defineRoute("POST", "/api/sends/{id}/cancel", {
  operationId: "cancelSend",
  action: "cancel",
  summary: "Stop what has not gone out yet",
  params: z.object({ id: z.string() }),
  responses: { 200: { description: "The send" } },
  handle: async ({ tenant, principal, params }) => reply(await tenant.cancel(params.id, { actor: actorOf(principal) })),
});

const channelsRoute = defineRoute("GET", "/api/channels", {
  operationId: "listChannels",
  summary: "The channels of the service, and what each takes",
  responses: { 200: { description: "The channels, the inbox first" } },
  handle: async ({ tenant }) => reply({ channels: tenant.channels() }),
});

function testRoute({ service }: ApiContext): Route {
  return defineRoute("POST", "/api/sends", {
    operationId: "sendTest",
    action: "send",
    summary: "Send a test over a channel",
    body: z.object({ channel: z.string().min(1), to: z.string().min(1), title: z.string().default(""), message: z.string().default("") }),
    responses: { 201: { description: "The send" } },
    async handle({ tenant, principal, body }) {
      const { operator } = service.tenant(tenant.tenantId);
      return reply(await operator.sendTest({ ...body, actor: actorOf(principal) }), 201);
    },
  });
}

function countRetriesRoute({ service }: ApiContext): Route {
  return defineRoute("GET", "/api/retries", {
    operationId: "countRetries",
    summary: "How many sends match that failed or wait for another attempt",
    query: activityFilter,
    responses: { 200: { description: "The count, up to 10,000 of each" } },
    handle: async ({ tenant, query }) => reply({ matched: await service.tenant(tenant.tenantId).operator.countRetryable(query) }),
  });
}

function retryAllRoute({ service }: ApiContext): Route {
  return defineRoute("POST", "/api/retries", {
    operationId: "retryAll",
    action: "retry",
    summary: "Have every failed and partial send that matches tried again",
    query: activityFilter,
    body: z.object({ limit: z.number().int().min(1).max(MAX_RETRIES).default(MAX_RETRIES), cursor: z.string().optional() }),
    bodyOptional: true,
    responses: { 200: { description: "How many matched, were retried, and match still; and where to go on" } },
    async handle({ tenant, principal, query, body: { limit, cursor } }) {
      const options = { limit, actor: actorOf(principal), ...given({ cursor }) };
      return reply(await service.tenant(tenant.tenantId).operator.retryAll(query, options));
    },
  });
}
