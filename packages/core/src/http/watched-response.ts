import type { CredentialWatch } from "./auth/credential-watch.ts";
import type { Presented } from "./auth/gate.ts";
import type { HttpRequest, ResponseStream } from "./messages.ts";
import type { Principal } from "./principal.ts";
import type { StreamStart } from "./route.ts";
import { SSE_PING } from "./sse.ts";
import type { StreamCounts } from "./stream-counts.ts";
import type { StreamRegistry } from "./stream-registry.ts";

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
