import type { FollowSources, HubContext } from "./context.ts";
import { HubEvents } from "./hub-events.ts";
import { HubHandlers } from "./hub-handlers.ts";
import { HubIdentities } from "./hub-identities.ts";

/**
 * The event hub of one tenant: `notifications.hub`. Services push events in, handlers process those that fit their
 * filters, and subscribers watch. Ids that are unknown or another tenant's are `NOT_FOUND`.
 *
 * @example
 * ```ts
 * await notifications.hub.handlers.create({ source: "monitoring", prompt: "How bad is it?", filter: { level: "error" } });
 * await notifications.hub.events.create({ source: "monitoring", sender: "db-1", content: "Disk full", metadata: { level: "error" } });
 * ```
 */
export class Hub {
  /** The events that services pushed in, with their processing records. */
  readonly events: HubEvents;
  /** The handlers of events. */
  readonly handlers: HubHandlers;
  /** The identities of senders. */
  readonly identities: HubIdentities;

  /** Hosts do not call this. They use `notifications.hub` or `notifications.tenant(id).hub`. */
  constructor(tenant: string, context: HubContext, feeds: FollowSources) {
    this.events = new HubEvents(tenant, context, feeds);
    this.handlers = new HubHandlers(tenant, context);
    this.identities = new HubIdentities(tenant, context);
  }
}
