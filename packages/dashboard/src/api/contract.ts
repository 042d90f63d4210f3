import { type Contract, defineContract } from "@belfry/core/http";
import { activityRoutes } from "./activity.ts";
import type { ApiContext } from "./context.ts";
import { decisionRoutes } from "./decisions.ts";
import { apiFailure } from "./failure.ts";
import { inboxRoutes } from "./inbox.ts";
import { liveRoute } from "./live.ts";
import { pauseRoutes } from "./pauses.ts";
import { retryRunRoutes } from "./retry-runs.ts";
import { sendRoutes } from "./sends.ts";
import { sessionRoute } from "./session.ts";
import { suppressionRoutes } from "./suppressions.ts";

/** The page's API, below the mount point. Its members have the names of the TypeScript API. */
export function apiContract(context: ApiContext): Contract {
  return defineContract({
    name: "dashboard",
    title: "Belfry dashboard",
    basePath: "/api",
    credential: "api-key",
    principal: "client",
    routes: [
      sessionRoute(context),
      ...inboxRoutes(context),
      ...decisionRoutes(context),
      ...activityRoutes(context),
      ...sendRoutes(context),
      ...retryRunRoutes(context),
      ...pauseRoutes(context),
      ...suppressionRoutes(context),
      liveRoute(context),
    ],
    renderFailure: (failure) => apiFailure(failure, context.challenge),
  });
}
