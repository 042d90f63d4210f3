import { defineRoute, given, type Route, reply } from "@belfry/core/http";
import { z } from "zod";
import { actorOf } from "./actor.ts";
import type { ApiContext } from "./context.ts";

const place = { channel: z.string().optional(), recipient: z.string().optional() };

/** The routes of pauses: list, pause, resume. */
export function pauseRoutes({ service }: ApiContext): readonly Route[] {
  const pauses = (tenantId: string) => service.tenant(tenantId).operator.pauses;
  return [
    defineRoute("GET", "/api/pauses", {
      operationId: "listPauses",
      summary: "What is paused",
      responses: { 200: { description: "The pauses" } },
      handle: async ({ tenant }) => reply({ pauses: await pauses(tenant.tenantId).list() }),
    }),
    defineRoute("POST", "/api/pauses", {
      operationId: "pause",
      action: "pause",
      summary: "Hold back what goes to a channel, to one endpoint of it, or, with neither, everywhere",
      body: z.object({ ...place, detail: z.string().optional() }).transform(given),
      responses: { 201: { description: "The pause; what was paused before keeps its own" } },
      handle: async ({ tenant, principal, body }) =>
        reply(await pauses(tenant.tenantId).pause({ ...body, actor: actorOf(principal) }), 201),
    }),
    defineRoute("POST", "/api/pauses/resume", {
      operationId: "resume",
      action: "pause",
      summary: "Let go out again what is paused at this very place",
      body: z.object(place).transform(given),
      responses: { 200: { description: "Whether it was paused" } },
      handle: async ({ tenant, principal, body }) =>
        reply({ resumed: await pauses(tenant.tenantId).resume({ ...body, actor: actorOf(principal) }) }),
    }),
  ];
}
