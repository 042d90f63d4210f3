import { systemClock } from "@belfry/core";
import { defineRoute, type OpenStream, type Route, SSE_HEADERS, SSE_RETRY, sseEvent } from "@belfry/core/http";
import { z } from "zod";
import type { LiveListener } from "../live/activity-feed.ts";
import type { LiveEvents } from "../wire.ts";
import type { ApiContext } from "./context.ts";

/** The id of an event before there is any notification; a reader that comes back with it is told everything since. */
const NOTHING_YET = "0";

/** How often the host is asked whether a reader may still read. */
const RECHECK_MS = 20_000;

/** The live stream: what was created and what changed, as Server-Sent Events. */
export function liveRoute(context: ApiContext): Route {
  const { service, feeds } = context;
  return defineRoute({
    method: "GET",
    path: "/api/live",
    operationId: "followLive",
    summary: "What happens, live; resumes after Last-Event-ID, or after the id `after`",
    query: z.object({ after: z.string().optional() }),
    responses: { 200: { description: "Server-Sent Events", contentType: "text/event-stream" } },
    async handle({ tenant, request, query, report, stream }) {
      const lastId = request.headers["last-event-id"] ?? query.after;
      const start = (opened: OpenStream) => {
        opened.send(SSE_RETRY);
        const listener: LiveListener = {
          tell(name, data: LiveEvents[typeof name], newest) {
            opened.send(sseEvent({ event: name, id: newest ?? NOTHING_YET, data: JSON.stringify(data) }));
          },
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
        return () => {
          stopChecking();
          unfollow();
        };
      };
      return { status: 200, headers: SSE_HEADERS, stream: stream(start) };
    },
  });
}

/** Asks again and again whether a reader may still read; a host that cannot say lets them no longer. */
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
