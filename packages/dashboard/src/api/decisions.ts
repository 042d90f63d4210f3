import { defineRoute, type Route, reply } from "@belfry/core/http";
import { z } from "zod";
import type { ApiContext } from "./context.ts";

const userId = z.string().min(1).max(255);

/** The routes that say what reaches a user, and why. */
export function decisionRoutes({ service }: ApiContext): readonly Route[] {
  return [
    defineRoute("GET", "/api/explanation", {
      operationId: "explain",
      summary: "What would become of a notification of a type for a user, over each channel and rule by rule",
      query: z.object({ user_id: userId, type: z.string().min(1).max(255) }),
      responses: { 200: { description: "The channels" } },
      handle: async ({ tenant, query }) => reply({ channels: await service.tenant(tenant.tenantId).explain(query.user_id, query.type) }),
    }),
    defineRoute("GET", "/api/preferences", {
      operationId: "listPreferences",
      summary: "What counts for each type and channel of a user, and where that comes from",
      query: z.object({ user_id: userId }),
      responses: { 200: { description: "The preferences" } },
      handle: async ({ tenant, query }) => reply(await service.tenant(tenant.tenantId).preferences.list(query.user_id, { locale: "en" })),
    }),
  ];
}
