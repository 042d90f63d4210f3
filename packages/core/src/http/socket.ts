import type { Clock } from "../foundation/clock.ts";
import { BelfryError } from "../foundation/errors.ts";
import type { Watched } from "./auth/credential-watch.ts";
import type { Contract, SocketEndpoint, SocketSession } from "./contract.ts";
import type { HandlerCore } from "./handler-core.ts";
import type { HttpRequest, Peer } from "./messages.ts";
import { originProblem } from "./origins.ts";
import { splitUrl } from "./parameters.ts";

/** The result of a handshake, for a WebSocket adapter. */
export type Connection =
  | { readonly accepted: false; readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly accepted: true; open(peer: Peer): SocketSession };

/** A socket that gets more messages than this within a second is closed. */
const MAX_MESSAGES_PER_SECOND = 100;

/** A credential look-up that takes longer ends the handshake, or the socket. */
const LOOK_UP_MS = 5_000;

/** A handshake at an endpoint of a contract. */
interface Handshake {
  readonly core: HandlerCore;
  readonly contract: Contract;
  readonly endpoint: SocketEndpoint;
  readonly request: HttpRequest;
  readonly query: URLSearchParams;
}

/** The caller whose credential opened a socket. */
type Opened = Pick<Watched, "principal" | "ask">;

/** Finds the endpoint of a handshake and opens its session. */
export async function acceptSocket(core: HandlerCore, request: HttpRequest): Promise<Connection | null> {
  const { path, search } = splitUrl(request.url);
  const found = core.mounted.socketAt(path);
  if (found === null) {
    return null;
  }
  const problem = originProblem(core.settings, request);
  if (problem !== null) {
    return { accepted: false, status: 403, body: problem };
  }
  const handshake = { core, ...found, request, query: new URLSearchParams(search) };
  // Counts the socket before the credential look-up, because many handshakes may wait for look-ups at once.
  let takeOff = () => {};
  try {
    core.counts.check(request);
    takeOff = core.counts.add(request);
    const opened = await openedBy(handshake);
    return { accepted: true, open: (peer) => openSession(handshake, peer, { opened, takeOff }) };
  } catch (error) {
    takeOff();
    if (error instanceof BelfryError) {
      return refusal(handshake, error);
    }
    throw error;
  }
}

/** Returns the caller of the handshake, if it has a ticket or the endpoint requires a credential. Throws `UNAUTHENTICATED`. */
async function openedBy(handshake: Handshake): Promise<Opened | null> {
  const ask = (await byTicket(handshake)) ?? byCredential(handshake);
  if (ask === null) {
    return null;
  }
  const { principal, limited } = await withinTime(handshake.core, ask());
  if (principal?.kind !== handshake.contract.principal) {
    throw limited ?? new BelfryError("UNAUTHENTICATED", "The handshake has no valid credential.");
  }
  if (principal.kind === "client" && principal.scopes?.includes("read") === false) {
    throw new BelfryError("FORBIDDEN", "The API key may not read.");
  }
  return { principal, ask };
}

/** Uses up the ticket of a handshake, if there is one. It stands for the credential of the request that asked for it. */
async function byTicket({ core: { gate, service }, request, query }: Handshake): Promise<Opened["ask"] | null> {
  const ticket = query.get("ticket");
  if (ticket === null) {
    return null;
  }
  const headers = await service.socketTickets.redeem(ticket);
  if (headers === null) {
    throw new BelfryError("UNAUTHENTICATED", "The ticket is unknown, was used before, or ran out.");
  }
  return () => gate.admit({ ...request, headers: { ...request.headers, ...headers } });
}

function byCredential({ core: { gate }, contract, endpoint, request, query }: Handshake): Opened["ask"] | null {
  const { credential: scheme } = contract;
  if (endpoint.credentialParameter === undefined || scheme === "open") {
    return null;
  }
  // Clients that can send headers may use the header.
  const credential = request.headers["x-api-key"] ?? query.get(endpoint.credentialParameter) ?? "";
  return () => gate.check(scheme, credential, request);
}

/** Waits for a look-up as long as a handshake may take. Throws `STORAGE_UNAVAILABLE`. */
async function withinTime<Found>({ settings }: HandlerCore, lookUp: Promise<Found>): Promise<Found> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const message = `The credential could not be looked up within ${LOOK_UP_MS} ms.`;
  const cancel = settings.clock.after(LOOK_UP_MS, () => reject(new BelfryError("STORAGE_UNAVAILABLE", message)));
  try {
    return await Promise.race([lookUp, late]);
  } finally {
    cancel();
  }
}

function openSession(
  { core, contract, endpoint, request, query }: Handshake,
  peer: Peer,
  { opened, takeOff }: { readonly opened: Opened | null; takeOff(): void },
): SocketSession {
  const { clock } = core.settings;
  const stream = core.streams.add(peer, contract.ping, "socket");
  let stopWatching = () => {};
  let isClosed = false;
  const watch = (by: Opened) => {
    stopWatching = core.credentials.add({ stream, ...by });
  };
  if (opened !== null) {
    watch(opened);
  }
  const session = endpoint.open({
    service: core.service,
    request,
    stream,
    query,
    principal: opened?.principal ?? null,
    async authenticate(scheme, credential) {
      const ask = () => core.gate.check(scheme, credential, request);
      const tooLate = clock.after(LOOK_UP_MS, () => stream.close(4401, "not authenticated in time"));
      const { principal } = await ask().finally(tooLate);
      if (principal !== null && !isClosed) {
        stopWatching();
        watch({ principal, ask });
      }
      return principal;
    },
    report: core.report,
  });
  const allow = messageLimit(clock);
  return {
    message: (text) => (allow() ? session.message(text) : stream.close(1008, "too many messages")),
    closed: () => {
      isClosed = true;
      takeOff();
      stopWatching();
      stream.gone();
      session.closed();
    },
  };
}

function refusal({ contract, request }: Handshake, error: BelfryError): Connection {
  const { status, headers, json } = contract.renderFailure({ error, request, credentialPresented: true });
  return { accepted: false, status, body: JSON.stringify(json), headers: { ...headers, "content-type": "application/json" } };
}

/** Makes a counter of messages per second. */
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
