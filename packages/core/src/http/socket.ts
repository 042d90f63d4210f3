import { type Clock, systemClock } from "../clock.ts";
import type { SocketSession } from "./contract.ts";
import type { HandlerCore } from "./handler-core.ts";
import type { HttpRequest, Peer } from "./messages.ts";

/** What a WebSocket adapter does with a handshake. */
export type Connection =
  | { readonly accepted: false; readonly status: number; readonly body: string }
  | { readonly accepted: true; open(peer: Peer): SocketSession };

/** More messages than this within a second close a socket. */
const MAX_MESSAGES_PER_SECOND = 100;

/** Finds the endpoint of a handshake and opens its session. */
export function acceptSocket(core: HandlerCore, request: HttpRequest): Connection | null {
  const [path = "/", search = ""] = request.url.split("?", 2);
  const found = core.mounted.socketAt(path);
  if (found === null) {
    return null;
  }
  const { origin } = request.headers;
  const { allowedOrigins } = core.options;
  if (allowedOrigins && origin !== undefined && !allowedOrigins.includes(origin)) {
    return { accepted: false, status: 403, body: "This origin may not open WebSockets here." };
  }
  const { contract, endpoint } = found;
  return {
    accepted: true,
    open(peer) {
      const stream = core.streams.add(peer, contract.ping);
      const session = endpoint.open({
        service: core.service,
        request,
        stream,
        query: new URLSearchParams(search),
        authenticate: (scheme, credential) => core.authenticator.check(scheme, credential, request),
        expireAt: (timeMs) => {
          stream.expiresAtMs = timeMs;
        },
        report: (error, message) => core.logger.error({ error }, message),
      });
      const allow = messageLimit(core.options.clock ?? systemClock);
      return {
        message: (text) => (allow() ? session.message(text) : stream.close(1008, "too many messages")),
        closed: () => {
          stream.gone();
          session.closed();
        },
      };
    },
  };
}

/** Counts messages by the second. */
function messageLimit(clock: Clock): () => boolean {
  let second = 0;
  let count = 0;
  return () => {
    const present = Math.floor(clock.now() / 1_000);
    count = present === second ? count + 1 : 1;
    second = present;
    return count <= MAX_MESSAGES_PER_SECOND;
  };
}
