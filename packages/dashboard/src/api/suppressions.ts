import { defineRoute, given, type Route, reply } from "@belfry/core/http";
import { z } from "zod";
import { actorOf } from "./actor.ts";
import type { ApiContext } from "./context.ts";

const place = { channel: z.string().min(1), address: z.string().min(1) };

const listQuery = z
  .object({
    prefix: z.string().optional(),
    channel: z.string().optional(),
    reason: z.enum(["hard_bounce", "soft_bounces", "complaint", "unsubscribed", "manual"]).optional(),
    limit: z.coerce.number().int().min(1).max(100).default(50),
    cursor: z.string().optional(),
  })
  .transform(given);

/** The routes of suppressed addresses: list, suppress one, lift one. */
export function suppressionRoutes({ service }: ApiContext): readonly Route[] {
  const suppressions = (tenantId: string) => service.tenant(tenantId).suppressions;
  return [
    defineRoute("GET", "/api/suppressions", {
      operationId: "listSuppressions",
      summary: "Suppressed addresses that match, by address",
      query: listQuery,
      responses: { 200: { description: "A page of suppressions" } },
      handle: async ({ tenant, query }) => reply(await suppressions(tenant.tenantId).list(query)),
    }),
    defineRoute("POST", "/api/suppressions", {
      operationId: "suppressAddress",
      action: "suppress",
      summary: "Deliver nothing more to an address over a channel",
      body: z.object({ ...place, detail: z.string().optional() }),
      responses: { 201: { description: "The suppression; an address that was suppressed before keeps its own" } },
      async handle({ tenant, principal, body: { channel, address, detail } }) {
        const input = { channel, address, ...given({ detail }), actor: actorOf(principal) };
        return reply(await suppressions(tenant.tenantId).add(input), 201);
      },
    }),
    defineRoute("POST", "/api/suppressions/lift", {
      operationId: "liftSuppression",
      action: "suppress",
      summary: "Deliver to an address over a channel again",
      body: z.object(place),
      responses: { 200: { description: "Whether it was suppressed" } },
      handle: async ({ tenant, principal, body: { channel, address } }) =>
        reply({ lifted: await suppressions(tenant.tenantId).lift(channel, address, { actor: actorOf(principal) }) }),
    }),
  ];
}
