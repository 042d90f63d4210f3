import type { HttpRequest } from "@belfry/core/http";
import type { DashboardService } from "../dashboard-options.ts";
import type { ActivityFeeds } from "../live/activity-feeds.ts";
import type { Reader, Redaction } from "../redaction.ts";

/** The parts that the API's routes need. */
export interface ApiContext {
  readonly service: DashboardService;
  readonly feeds: ActivityFeeds;
  /** Strikes out what readers are not to see; null where they see everything. */
  readonly redaction: Redaction | null;
  /** The tenants that the sender of a request may read. */
  tenantsOf(request: HttpRequest): Promise<readonly string[]>;
  /** Whether the sender of a request still has a reader's rights; asked repeatedly while a stream is open. */
  stillReads(request: HttpRequest, reader: Reader): Promise<boolean>;
  /** The `WWW-Authenticate` header of a 401. */
  readonly challenge: string | undefined;
}
