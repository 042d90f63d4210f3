import { defineRoute, type Route, reply } from "@belfry/core/http";
import { z } from "zod";
import { activityFilter } from "./activity.ts";
import { actorOf } from "./actor.ts";
import type { ApiContext } from "./context.ts";

const params = z.object({ id: z.string() });

/** The routes of retries in the background. */
export function retryRunRoutes({ service }: ApiContext): readonly Route[] {
  const retries = (tenantId: string) => service.tenant(tenantId).operator.retries;
  const moving = (verb: "pause" | "resume" | "cancel", summary: string) =>
    defineRoute("POST", `/api/retry-runs/{id}/${verb}`, {
      operationId: `${verb}RetryRun`,
      action: "retry",
      summary,
      params,
      responses: { 200: { description: "The run" } },
      handle: async ({ tenant, principal, params: { id } }) =>
        reply(await retries(tenant.tenantId)[verb](id, { actor: actorOf(principal) })),
    });
  return [
    defineRoute("POST", "/api/retry-runs", {
      operationId: "startRetryRun",
      action: "retry",
      summary: "Try again, in the background, everything that matches and failed or is tried again later",
      query: activityFilter,
      responses: { 201: { description: "The run" } },
      handle: async ({ tenant, principal, query }) =>
        reply(await retries(tenant.tenantId).start(query, { actor: actorOf(principal) }), 201),
    }),
    defineRoute("GET", "/api/retry-runs", {
      operationId: "listRetryRuns",
      summary: "Retry runs, newest first",
      query: z.object({ limit: z.coerce.number().int().min(1).max(100).default(20) }),
      responses: { 200: { description: "The runs" } },
      handle: async ({ tenant, query }) => reply({ runs: await retries(tenant.tenantId).list(query) }),
    }),
    defineRoute("GET", "/api/retry-runs/{id}", {
      operationId: "getRetryRun",
      summary: "How far a retry run got",
      params,
      responses: { 200: { description: "The run" } },
      handle: async ({ tenant, params: { id } }) => reply(await retries(tenant.tenantId).get(id)),
    }),
    moving("pause", "Stop a retry run until it is resumed"),
    moving("resume", "Go on with a paused retry run"),
    moving("cancel", "End a retry run where it is"),
  ];
}
