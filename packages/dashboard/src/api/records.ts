import { RECORD_STATES } from "@belfry/core";
import { defineRoute, given, type Route, reply } from "@belfry/core/http";
import { z } from "zod";
import { time } from "./activity.ts";
import { actorOf } from "./actor.ts";
import type { ApiContext } from "./context.ts";

const searchQuery = z
  .object({
    state: z.enum(RECORD_STATES).optional(),
    source: z.string().optional(),
    handlerId: z.string().optional(),
    error: z.string().optional(),
    from: time.optional(),
    before: time.optional(),
    limit: z.coerce.number().int().min(1).max(100).default(50),
    cursor: z.string().optional(),
  })
  .transform(({ limit, ...filter }) => ({ ...given(filter), limit }));

/** The routes of processing records: search, run one again. */
export function recordRoutes({ service }: ApiContext): readonly Route[] {
  const records = (tenantId: string) => service.tenant(tenantId).operator.records;
  return [
    defineRoute("GET", "/api/records", {
      operationId: "searchRecords",
      summary: "Processing records that match, with their prompts and events, newest first",
      query: searchQuery,
      responses: { 200: { description: "A page of records" } },
      handle: async ({ tenant, query }) => reply(await records(tenant.tenantId).search(query)),
    }),
    defineRoute("POST", "/api/records/{id}/retry", {
      operationId: "retryRecord",
      action: "retry",
      summary: "Run a record again that failed, or now instead of later",
      params: z.object({ id: z.string() }),
      responses: { 200: { description: "The record" } },
      handle: async ({ tenant, principal, params }) =>
        reply(await records(tenant.tenantId).retry(params.id, { actor: actorOf(principal) })),
    }),
  ];
}
