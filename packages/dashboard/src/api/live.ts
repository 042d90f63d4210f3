import { systemClock } from "@belfry/core";
import { defineRoute, type OpenStream, type Route, SSE_HEADERS, SSE_RETRY } from "@belfry/core/http";
import { z } from "zod";
import type { LiveListener } from "../live/activity-feed.ts";
import type { ApiContext } from "./context.ts";

/** How often the stream sends a sign of life. A page that hears nothing for longer asks instead. */
const PING_MS = 12_000;

/** How often `authorize` is asked whether a reader may still read. */
const RECHECK_MS = 20_000;

/** The live stream of created and changed notifications, as Server-Sent Events. */
export function liveRoute(context: ApiContext): Route {
  const { service, feeds } = context;
  return defineRoute("GET", "/api/live", {
    operationId: "followLive",
    summary: "What happens, live; resumes after Last-Event-ID, or after the id `after`",
    query: z.object({ after: z.string().optional() }),
    responses: { 200: { description: "Server-Sent Events", contentType: "text/event-stream" } },
    async handle({ tenant, request, query, report, stream }) {
      const lastId = request.headers["last-event-id"] ?? query.after;
      const start = (opened: OpenStream) => {
        opened.send(SSE_RETRY);
        const listener: LiveListener = {
          tell: (event) => opened.send(event),
          failed(error) {
            report(error, "The dashboard could not begin a live stream.");
            opened.close(1011, "failed");
          },
        };
        const unfollow = feeds.follow(service.tenant(tenant.tenantId), listener, lastId);
        const stopChecking = whileAllowed(
          () => context.stillReads(request, tenant.tenantId),
          () => opened.close(4401, "no longer allowed"),
        );
        const stopPinging = pinging(opened);
        return () => {
          stopPinging();
          stopChecking();
          unfollow();
        };
      };
      return { status: 200, headers: { ...SSE_HEADERS, "x-content-type-options": "nosniff" }, stream: stream(start) };
    },
  });
}

/** Sends signs of life as events, since a page's script does not see the protocol's comments. They have no id, so a reader keeps its place. */
function pinging(opened: OpenStream): () => void {
  const pingLater = () =>
    systemClock.after(PING_MS, () => {
      opened.send("event: ping\ndata: {}\n\n");
      cancel = pingLater();
    });
  let cancel = pingLater();
  return () => cancel();
}

/** Asks repeatedly whether a reader may still read, and ends the stream if not, or if the question fails. */
function whileAllowed(isAllowed: () => Promise<boolean>, end: () => void): () => void {
  let isStopped = false;
  const check = async () => {
    const allowed = await isAllowed().catch(() => false);
    if (isStopped) {
      return;
    }
    if (allowed) {
      cancel = checkLater();
    } else {
      end();
    }
  };
  const checkLater = () => systemClock.after(RECHECK_MS, () => void check());
  let cancel = checkLater();
  return () => {
    isStopped = true;
    cancel();
  };
}
