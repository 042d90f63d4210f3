import type { DashboardService } from "../dashboard-options.ts";
import type { ActivityFeeds } from "../live/activity-feeds.ts";

/** What the API's routes work with. */
export interface ApiContext {
  readonly service: DashboardService;
  readonly feeds: ActivityFeeds;
  /** What a browser is told to log in with. */
  readonly challenge: string | undefined;
}
