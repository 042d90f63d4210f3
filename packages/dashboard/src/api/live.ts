import { systemClock } from "@belfry/core";
import { defineRoute, type OpenStream, type Route, type RouteContext, SSE_HEADERS, sseRetry } from "@belfry/core/http";
import { z } from "zod";
import type { LiveListener } from "../live/activity-feed.ts";
import type { Reader, Redaction } from "../redaction.ts";
import type { ApiContext } from "./context.ts";
import { readerOf } from "./shown.ts";

/** How often the stream sends a sign of life. A page that hears nothing for longer asks instead. */
const PING_MS = 12_000;

/** How often `authorize` is asked whether a reader still has the same rights. */
const RECHECK_MS = 20_000;

/** The live stream of created and changed notifications, as Server-Sent Events. */
export function liveRoute(context: ApiContext): Route {
  const { service, feeds, redaction } = context;
  return defineRoute("GET", "/api/live", {
    operationId: "followLive",
    summary: "What happens, live; resumes after Last-Event-ID, or after the id `after`",
    query: z.object({ after: z.string().optional() }),
    responses: { 200: { description: "Server-Sent Events", contentType: "text/event-stream" } },
    async handle(asked) {
      const { tenant, request, query, report, stream } = asked;
      const lastId = request.headers["last-event-id"] ?? query.after;
      const reader = readerOf(asked);
      const start = (opened: OpenStream) => {
        opened.send(sseRetry());
        const listener = listenerOf(opened, { report, shown: shownTo(reader, redaction) });
        const unfollow = feeds.follow(service.tenant(tenant.tenantId), listener, lastId);
        const stopChecking = whileAllowed(
          () => context.stillReads(request, reader),
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

/** What a reader is shown of an event; null for all of it. */
type Shown = ((data: unknown) => unknown) | null;

function shownTo(reader: Reader, redaction: Redaction | null): Shown {
  return redaction === null ? null : (data) => redaction.shownTo(reader, data);
}

/** Sends a reader the events as they are to see them. The stream ends at the first one of which that is not known. */
function listenerOf(opened: OpenStream, { report, shown }: Pick<RouteContext, "report"> & { readonly shown: Shown }): LiveListener {
  let hasFailed = false;
  const fail = (error: unknown, message: string) => {
    hasFailed = true;
    report(error, message);
    opened.close(1011, "failed");
  };
  return {
    tell(message) {
      if (hasFailed) {
        return;
      }
      try {
        opened.send(message.text(shown));
      } catch (error) {
        fail(error, "The dashboard could not show an event of a live stream.");
      }
    },
    failed: (error) => fail(error, "The dashboard could not begin a live stream."),
  };
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
