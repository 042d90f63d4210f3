import type { HttpRequest } from "@belfry/core/http";
import type { DashboardService } from "../dashboard-options.ts";
import type { ActivityFeeds } from "../live/activity-feeds.ts";

/** What the API's routes work with. */
export interface ApiContext {
  readonly service: DashboardService;
  readonly feeds: ActivityFeeds;
  /** Whether the sender of a request may still read this tenant: asked again while a stream is open. */
  stillReads(request: HttpRequest, tenant: string): Promise<boolean>;
  /** What a browser is told to log in with. */
  readonly challenge: string | undefined;
}
