import { defineRoute, given, type Route, reply } from "@belfry/core/http";
import { z } from "zod";
import { actorOf } from "./actor.ts";
import type { ApiContext } from "./context.ts";

const endpoint = z.object({ channel: z.string().min(1), recipient: z.string().min(1) });

/** The routes of endpoints that fail: list, try one delivery, end a rest. */
export function endpointRoutes({ service }: ApiContext): readonly Route[] {
  const endpoints = (tenantId: string) => service.tenant(tenantId).operator.endpoints;
  return [
    defineRoute("GET", "/api/endpoints", {
      operationId: "listFailingEndpoints",
      summary: "Which endpoints fail, the most affected deliveries first",
      query: z.object({ channel: z.string().optional() }).transform(given),
      responses: { 200: { description: "The endpoints" } },
      handle: async ({ tenant, query }) => reply(await endpoints(tenant.tenantId).failing(query)),
    }),
    defineRoute("POST", "/api/endpoints/try-one", {
      operationId: "tryEndpoint",
      action: "retry",
      summary: "Try one delivery to an endpoint again, to see whether it works",
      body: endpoint,
      responses: { 200: { description: "The id of its notification" } },
      handle: async ({ tenant, principal, body }) =>
        reply({ id: await endpoints(tenant.tenantId).tryOne({ ...body, actor: actorOf(principal) }) }),
    }),
    defineRoute("POST", "/api/endpoints/resume", {
      operationId: "resumeEndpoint",
      action: "retry",
      summary: "End the rest of an endpoint",
      body: endpoint,
      responses: { 200: { description: "Whether it rested" } },
      handle: async ({ tenant, principal, body }) =>
        reply({ resumed: await endpoints(tenant.tenantId).resume({ ...body, actor: actorOf(principal) }) }),
    }),
  ];
}
