import { type Contract, defineContract, type Route } from "@belfry/core/http";
import { DASHBOARD_ACTIONS } from "../access.ts";
import { activityRoutes } from "./activity.ts";
import { auditRoute } from "./audit.ts";
import type { ApiContext } from "./context.ts";
import { decisionRoutes } from "./decisions.ts";
import { deliveryRoutes } from "./deliveries.ts";
import { endpointRoutes } from "./endpoints.ts";
import { apiFailure } from "./failure.ts";
import { inboxRoutes } from "./inbox.ts";
import { liveRoute } from "./live.ts";
import { pauseRoutes } from "./pauses.ts";
import { recordRoutes } from "./records.ts";
import { retryRunRoutes } from "./retry-runs.ts";
import { sendRoutes } from "./sends.ts";
import { sessionRoute } from "./session.ts";
import { shown } from "./shown.ts";
import { suppressionRoutes } from "./suppressions.ts";
import { userRoutes } from "./users.ts";

/** The page's API, below the mount point. Its members have the names of the TypeScript API. */
export function apiContract(context: ApiContext): Contract {
  const { redaction, challenge } = context;
  const routes = [
    ...inboxRoutes(context),
    ...decisionRoutes(context),
    ...activityRoutes(context),
    ...sendRoutes(context),
    ...retryRunRoutes(context),
    ...endpointRoutes(context),
    ...pauseRoutes(context),
    ...recordRoutes(context),
    ...suppressionRoutes(context),
    ...deliveryRoutes(context),
    ...userRoutes(context),
    auditRoute(context),
  ];
  requireActions(routes);
  return defineContract({
    name: "dashboard",
    title: "Belfry dashboard",
    basePath: "/api",
    credential: "api-key",
    principal: "client",
    // The session is about its reader alone, and the stream redacts each of its events.
    routes: [sessionRoute(context), liveRoute(context), ...(redaction === null ? routes : routes.map((route) => shown(route, redaction)))],
    renderFailure: (failure) => apiFailure(failure, challenge),
  });
}

/** Refuses a route that changes something and does not say which action it is: no role could be kept from it. */
function requireActions(routes: readonly Route[]): void {
  const known: readonly string[] = DASHBOARD_ACTIONS;
  for (const { method, path, action } of routes) {
    if (action === undefined ? method !== "GET" : !known.includes(action)) {
      throw new Error(`The route ${method} ${path} needs an action of DASHBOARD_ACTIONS, has ${action ?? "none"}.`);
    }
  }
}
