import { type Clock, systemClock } from "../foundation/clock.ts";
import { BelfryError } from "../foundation/errors.ts";
import type { Contract, SocketEndpoint, SocketSession } from "./contract.ts";
import type { HandlerCore } from "./handler-core.ts";
import type { HttpRequest, Peer } from "./messages.ts";
import type { CredentialScheme, Principal } from "./principal.ts";
import type { OpenStream } from "./route.ts";
import { isPrivateAddress } from "./socket-counts.ts";

/** What a WebSocket adapter does with a handshake. */
export type Connection =
  | { readonly accepted: false; readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly accepted: true; open(peer: Peer): SocketSession };

/** More messages than this within a second close a socket. */
const MAX_MESSAGES_PER_SECOND = 100;

/** How often a credential that was presented at the handshake is looked at again: it may have been revoked. */
const RECHECK_MS = 15_000;

/** A credential that opened a socket, and whose it is. */
interface Opened {
  readonly scheme: CredentialScheme;
  readonly credential: string;
  readonly principal: Principal;
}

/** Finds the endpoint of a handshake and opens its session. */
export async function acceptSocket(core: HandlerCore, request: HttpRequest): Promise<Connection | null> {
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
  const counted = countedAddress(core, request);
  if (counted !== null && core.sockets.isFull(counted)) {
    core.logger.warn({}, "An address has as many WebSockets open as it may (maxSocketsPerAddress); Belfry refused another one.");
    return { accepted: false, status: 429, body: "This address has too many WebSockets open." };
  }
  const query = new URLSearchParams(search);
  try {
    const opened = await openedBy(core, request, { ...found, query });
    return { accepted: true, open: (peer) => openSession(core, peer, { ...found, request, query, opened }) };
  } catch (error) {
    if (error instanceof BelfryError) {
      return refusal(found.contract, error, request);
    }
    throw error;
  }
}

/** The address whose sockets are counted; null where they are not. */
function countedAddress({ options }: HandlerCore, { remoteAddress }: HttpRequest): string | null {
  const { maxSocketsPerAddress: max } = options;
  const isCounted = remoteAddress !== undefined && max !== false && (max !== undefined || !isPrivateAddress(remoteAddress));
  return isCounted ? remoteAddress : null;
}

/** Whose credential opens the socket, where its endpoint asks for one at the handshake; throws `UNAUTHENTICATED`. */
async function openedBy(
  core: HandlerCore,
  request: HttpRequest,
  { contract, endpoint, query }: { readonly contract: Contract; readonly endpoint: SocketEndpoint; readonly query: URLSearchParams },
): Promise<Opened | null> {
  const { credential: scheme } = contract;
  if (endpoint.credentialParameter === undefined || scheme === "open") {
    return null;
  }
  // Clients that can send headers may do so.
  const credential = request.headers["x-api-key"] ?? query.get(endpoint.credentialParameter) ?? "";
  const principal = await core.authenticator.check(scheme, credential, request);
  if (principal?.kind !== contract.principal) {
    if (credential !== "") {
      await core.limits.badCredential(request.remoteAddress);
    }
    throw new BelfryError("UNAUTHENTICATED", "The handshake has no valid credential.");
  }
  if (principal.kind === "client" && principal.scopes?.includes("read") === false) {
    throw new BelfryError("FORBIDDEN", "The API key may not read.");
  }
  return { scheme, credential, principal };
}

interface SessionParts {
  readonly contract: Contract;
  readonly endpoint: SocketEndpoint;
  readonly request: HttpRequest;
  readonly query: URLSearchParams;
  readonly opened: Opened | null;
}

function openSession(core: HandlerCore, peer: Peer, { contract, endpoint, request, query, opened }: SessionParts): SocketSession {
  const clock = core.options.clock ?? systemClock;
  const stream = core.streams.add(peer, contract.ping);
  const counted = countedAddress(core, request);
  const takeOff = counted === null ? () => {} : core.sockets.add(counted);
  const stopWatching = opened ? watchCredential(core, { request, opened, stream, clock }) : () => {};
  const session = endpoint.open({
    service: core.service,
    request,
    stream,
    query,
    principal: opened?.principal ?? null,
    authenticate: (scheme, credential) => core.authenticator.check(scheme, credential, request),
    expireAt: (timeMs) => {
      stream.expiresAtMs = timeMs;
    },
    report: (error, message) => core.logger.error({ error }, message),
  });
  const allow = messageLimit(clock);
  return {
    message: (text) => (allow() ? session.message(text) : stream.close(1008, "too many messages")),
    closed: () => {
      takeOff();
      stopWatching();
      stream.gone();
      session.closed();
    },
  };
}

/** Closes a socket with 4401 once its credential is worth nothing any more. */
function watchCredential(
  core: HandlerCore,
  { request, opened, stream, clock }: { request: HttpRequest; opened: Opened; stream: OpenStream; clock: Clock },
): () => void {
  let cancel = () => {};
  let isOver = false;
  const lookLater = () => {
    if (!isOver) {
      cancel = clock.after(RECHECK_MS, () => void look());
    }
  };
  const look = async () => {
    try {
      const principal = await core.authenticator.check(opened.scheme, opened.credential, request);
      if (principal?.kind !== opened.principal.kind || principal.tenant !== opened.principal.tenant) {
        stream.close(4401, "credential revoked");
        return;
      }
    } catch (error) {
      core.logger.warn({ error }, "Belfry could not look whether a socket's credential still holds; it looks again.");
    }
    lookLater();
  };
  lookLater();
  return () => {
    isOver = true;
    cancel();
  };
}

function refusal(contract: Contract, error: BelfryError, request: HttpRequest): Connection {
  const { status, headers, json } = contract.renderFailure({ error, request, credentialPresented: true });
  return { accepted: false, status, body: JSON.stringify(json), headers: { ...headers, "content-type": "application/json" } };
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
