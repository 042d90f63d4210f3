import { DELIVERY_STATES } from "@belfry/core";
import { defineRoute, given, type Route, reply } from "@belfry/core/http";
import { z } from "zod";
import type { ApiContext } from "./context.ts";

/** A time of a filter. */
export const time = z.coerce.date({ error: "is no time; give one as ISO 8601, for example 2026-01-31T12:00:00Z" });

/** The filters of a search, as query parameters. */
const filterFields = {
  id: z.string().optional(),
  kind: z.enum(["message", "send", "event"]).optional(),
  recipient: z.string().optional(),
  recipientPrefix: z.string().optional(),
  user: z.string().optional(),
  providerId: z.string().optional(),
  idempotencyKey: z.string().optional(),
  error: z.string().optional(),
  type: z.string().optional(),
  channel: z.string().optional(),
  status: z.enum(["pending", "sent", "delivered", "failed", "partial", "skipped", "cancelled"]).optional(),
  state: z.enum(DELIVERY_STATES).optional(),
  from: time.optional(),
  before: time.optional(),
};

/** Checks the filters of a search. */
export const activityFilter = z.object(filterFields).transform(given);

const searchQuery = z
  .object({ ...filterFields, limit: z.coerce.number().int().min(1).max(100).default(50), cursor: z.string().optional() })
  .transform(({ limit, ...filter }) => ({ ...given(filter), limit }));

/** The operator's routes: search, count, the timeline of one notification, health. */
export function activityRoutes({ service }: ApiContext): readonly Route[] {
  return [
    defineRoute("GET", "/api/activity", {
      operationId: "searchActivity",
      summary: "Notifications that match, newest first",
      query: searchQuery,
      responses: { 200: { description: "A page of notifications" } },
      handle: async ({ tenant, query }) => reply(await service.tenant(tenant.tenantId).operator.search(query)),
    }),
    defineRoute("GET", "/api/activity-count", {
      operationId: "countActivity",
      summary: "How many notifications match",
      query: activityFilter,
      responses: { 200: { description: "The count, up to 10,000" } },
      handle: async ({ tenant, query }) => reply({ count: await service.tenant(tenant.tenantId).operator.count(query) }),
    }),
    defineRoute("GET", "/api/recipients", {
      operationId: "listRecipients",
      summary: "Users, recipients and senders whose name begins so, to complete what is typed",
      query: z.object({ beginning: z.string() }),
      responses: { 200: { description: "Up to ten names" } },
      handle: async ({ tenant, query }) =>
        reply({ recipients: await service.tenant(tenant.tenantId).operator.recipients(query.beginning) }),
    }),
    defineRoute("GET", "/api/activity/{id}", {
      operationId: "getActivity",
      summary: "Everything known of one notification",
      params: z.object({ id: z.string() }),
      query: z.object({ deliveries: z.coerce.number().int().min(0).max(1_000).default(1_000) }),
      responses: { 200: { description: "The notification, with its first deliveries" } },
      handle: async ({ tenant, params, query }) => reply(await service.tenant(tenant.tenantId).operator.timeline(params.id, query)),
    }),
    defineRoute("GET", "/api/health", {
      operationId: "getHealth",
      summary: "How every channel does, and the work in the background",
      query: z.object({ range: z.enum(["1h", "24h", "7d"]).default("1h") }),
      responses: { 200: { description: "The channels, and the work" } },
      async handle({ tenant, query }) {
        const { operator } = service.tenant(tenant.tenantId);
        const [channels, work, alarms] = await Promise.all([operator.health(query.range), operator.work(query.range), operator.alarms()]);
        return reply({ channels, work, alarms });
      },
    }),
  ];
}
