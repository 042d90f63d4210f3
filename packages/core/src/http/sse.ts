import type { CredentialWatch } from "./auth/credential-watch.ts";
import type { Presented } from "./auth/gate.ts";
import type { HttpRequest, ResponseStream } from "./messages.ts";
import type { Principal } from "./principal.ts";
import type { StreamStart } from "./route.ts";
import type { StreamCounts, StreamRegistry } from "./stream-registry.ts";

/**
 * Formats one Server-Sent Event (HTML standard, 9.2). Every line of the data gets its own field, so that text with line
 * breaks stays one event.
 */
export function sseEvent({ event, id, data }: { event: string; id: string; data: string }): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `event: ${event}\nid: ${id}\n${lines.join("")}\n`;
}

/** The time that a client waits before it reconnects. */
export const SSE_RETRY = "retry: 1000\n\n";

/** A comment that keeps proxies from closing a silent stream. */
export const SSE_PING = ": ping\n\n";

/** Headers that stop caches and proxies from delaying a stream. */
export const SSE_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

/** The watchers of a handler's open streams and sockets. */
export interface StreamWatchers {
  readonly streams: StreamRegistry;
  readonly counts: StreamCounts;
  readonly credentials: CredentialWatch;
}

/** The parts of a streamed response. */
export interface WatchedResponseParts {
  readonly request: HttpRequest;
  /** Null if there was no credential, as on an open contract. */
  readonly principal: Principal | null;
  readonly start: StreamStart;
  /** Checks the credential again. */
  ask(): Promise<Presented>;
}

/**
 * Makes a streamed response and watches it for silence, slow readers, and the end of its credential.
 *
 * @throws BelfryError `RATE_LIMITED` if its address has too many streams
 */
export function watchedResponse({ streams, counts, credentials }: StreamWatchers, parts: WatchedResponseParts): ResponseStream {
  const { request, principal, start, ask } = parts;
  counts.check(request);
  return {
    open(peer) {
      const takeOff = counts.add(request);
      const stream = streams.add(peer, SSE_PING);
      stream.expiresAtMs = (principal?.kind === "user" ? principal.expiresAt : undefined) ?? Number.POSITIVE_INFINITY;
      const stopWatching = principal === null ? () => {} : credentials.add({ stream, principal, ask });
      const stop = start(stream);
      return () => {
        takeOff();
        stopWatching();
        stream.gone();
        stop();
      };
    },
  };
}
