import type { HttpRequest } from "@belfry/core/http";
import type { DashboardService } from "../dashboard-options.ts";
import type { ActivityFeeds } from "../live/activity-feeds.ts";

/** The parts that the API's routes need. */
export interface ApiContext {
  readonly service: DashboardService;
  readonly feeds: ActivityFeeds;
  /** Whether the sender of a request may still read this tenant; asked repeatedly while a stream is open. */
  stillReads(request: HttpRequest, tenant: string): Promise<boolean>;
  /** The `WWW-Authenticate` header of a 401. */
  readonly challenge: string | undefined;
}
