import { BelfryError } from "../foundation/errors.ts";
import type { Watched } from "./auth/credential-watch.ts";
import { NOBODY, type Presented } from "./auth/gate.ts";
import type { SocketContext, SocketSession } from "./contract.ts";
import type { HandlerCore } from "./handler-core.ts";
import type { HttpRequest, Peer } from "./messages.ts";
import type { SocketMatch } from "./mounted-contracts.ts";
import { isForeignPage, originProblem } from "./origins.ts";
import { splitUrl } from "./parameters.ts";
import type { CredentialScheme, Principal } from "./principal.ts";
import type { ContractService } from "./route.ts";
import { Stream } from "./stream.ts";
import type { CountedStream } from "./stream-counts.ts";

/** The result of a handshake, for a WebSocket adapter. */
export type Connection =
  | { readonly accepted: false; readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly accepted: true; open(peer: Peer): SocketSession };

/** A socket that gets more messages than this within a second is closed. */
const MAX_MESSAGES_PER_SECOND = 100;

/** A credential look-up that takes longer ends the handshake, or the socket. */
const LOOK_UP_MS = 5_000;

/** A handshake at an endpoint of a contract. */
interface Handshake extends SocketMatch {
  readonly core: HandlerCore;
  readonly request: HttpRequest;
  readonly query: URLSearchParams;
}

/** A credential to check: a text with its scheme, or the one in a request's headers. */
interface Credential {
  /** Null for a credential in the headers. */
  readonly scheme: CredentialScheme | null;
  readonly text: string;
  readonly request: HttpRequest;
}

/** That of most sockets: many have nothing that is checked again, and no address that counts. */
const NO_CREDENTIAL: Credential = { scheme: null, text: "", request: NOBODY };

function withoutCredential(request: HttpRequest): Credential {
  return request === NOBODY ? NO_CREDENTIAL : { scheme: null, text: "", request };
}

/** The caller whose credential opened a socket. */
interface Opened {
  readonly principal: Principal;
  readonly credential: Credential;
  /** Whether the credential need not be checked again. */
  readonly isFinal: boolean;
}

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
  if (found.contract.credential === "open" && isForeignPage(request, core.settings.allowedOrigins)) {
    return {
      accepted: false,
      status: 403,
      body: "A page of another site may not open WebSockets here. Name its origin in allowedOrigins.",
    };
  }
  const handshake = { core, ...found, request, query: new URLSearchParams(search) };
  // Counts the socket before the credential look-up, because many handshakes may wait for look-ups at once.
  let counted: CountedStream | null = null;
  try {
    core.counts.check(request);
    counted = core.counts.begin(request);
    await counted.letIn();
    const caller = { opened: await openedBy(handshake), counted };
    return { accepted: true, open: (peer) => OpenSocket.open(handshake, peer, caller) };
  } catch (error) {
    counted?.takeOff();
    if (error instanceof BelfryError) {
      core.reportFault(error, "Belfry could not open a WebSocket.");
      return refusal(handshake, error);
    }
    throw error;
  }
}

/** Returns the caller of the handshake, if it has a ticket or the endpoint requires a credential. Throws `UNAUTHENTICATED`. */
async function openedBy(handshake: Handshake): Promise<Opened | null> {
  const credential = (await byTicket(handshake)) ?? byCredential(handshake);
  if (credential === null) {
    return null;
  }
  const { principal, limited, isFinal = false } = await withinTime(handshake.core, check(handshake.core, credential));
  if (principal?.kind !== handshake.contract.principal) {
    throw limited ?? new BelfryError("UNAUTHENTICATED", "The handshake has no valid credential.");
  }
  if (principal.kind === "client" && principal.scopes?.includes("read") === false) {
    throw new BelfryError("FORBIDDEN", "The API key may not read.");
  }
  return { principal, credential, isFinal };
}

async function check({ gate }: HandlerCore, { scheme, text, request }: Credential): Promise<Presented> {
  return scheme === null ? gate.admit(request) : gate.check(scheme, text, request);
}

/** Uses up the ticket of a handshake, if there is one. It stands for the credential of the request that asked for it. */
async function byTicket({ core: { service }, request, query }: Handshake): Promise<Credential | null> {
  const ticket = query.get("ticket");
  if (ticket === null) {
    return null;
  }
  const headers = await service.socketTickets.redeem(ticket);
  if (headers === null) {
    throw new BelfryError("UNAUTHENTICATED", "The ticket is unknown, was used before, or ran out.");
  }
  return { scheme: null, text: "", request: { ...request, headers: { ...request.headers, ...headers } } };
}

function byCredential({ contract, endpoint, request, query }: Handshake): Credential | null {
  const { credential: scheme } = contract;
  if (endpoint.credentialParameter === undefined || scheme === "open") {
    return null;
  }
  // Clients that can send headers may use the header.
  const text = request.headers["x-api-key"] ?? query.get(endpoint.credentialParameter) ?? "";
  return { scheme, text, request };
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

/** One open socket, as its contract's session writes to it. It keeps of its handshake no more than later checks of the credential need. */
class OpenSocket extends Stream implements SocketContext, SocketSession, Watched {
  readonly #core: HandlerCore;
  readonly #counted: CountedStream;
  #principal: Principal | null;
  /** The credential that is checked again. Of one that need not be, only the request is left. */
  #credential: Credential;
  #session: SocketSession | null = null;
  /** The present second, and the messages that came in it. */
  #second = 0;
  #count = 0;

  private constructor({ core, contract, request }: Handshake, peer: Peer, { opened, counted }: Caller) {
    super(peer, core.streams.optionsOf(contract.ping, "socket"));
    this.#core = core;
    this.#counted = counted;
    this.#principal = opened?.principal ?? null;
    const credential = opened === null || opened.isFinal ? null : opened.credential;
    const lasting = core.gate.lasting(opened?.credential.request ?? request, { hasCredential: credential?.scheme === null });
    this.#credential = credential === null ? withoutCredential(lasting) : { ...credential, request: lasting };
  }

  static open(handshake: Handshake, peer: Peer, caller: Caller): SocketSession {
    const { core, endpoint, request, query, params } = handshake;
    const socket = core.streams.watch(new OpenSocket(handshake, peer, caller));
    if (caller.opened !== null) {
      core.credentials.add(socket, caller.opened);
    }
    socket.#session = endpoint.open(socket, { request, query, params });
    return socket;
  }

  get stream(): this {
    return this;
  }

  get service(): ContractService {
    return this.#core.service;
  }

  get principal(): Principal | null {
    return this.#principal;
  }

  get report(): SocketContext["report"] {
    return this.#core.report;
  }

  async authenticate(scheme: CredentialScheme, text: string): Promise<Principal | null> {
    const { request } = this.#credential;
    const credential = { scheme, text, request };
    const tooLate = this.#core.settings.clock.after(LOOK_UP_MS, () => this.close(4401, "not authenticated in time"));
    const presented = await check(this.#core, credential).finally(tooLate);
    const { principal, isFinal = false } = presented;
    if (principal !== null && this.mode !== "over") {
      this.#principal = principal;
      this.#credential = isFinal ? withoutCredential(request) : credential;
      this.#core.credentials.add(this, presented);
    }
    return principal;
  }

  ask(): Promise<Presented> {
    return check(this.#core, this.#credential);
  }

  message(text: string): void {
    const second = Math.floor(this.#core.settings.clock.now() / 1_000);
    this.#count = second === this.#second ? this.#count + 1 : 1;
    this.#second = second;
    if (this.#count > MAX_MESSAGES_PER_SECOND) {
      this.close(1008, "too many messages");
    } else {
      this.#session?.message(text);
    }
  }

  closed(): void {
    this.#counted.takeOff();
    this.#core.credentials.remove(this);
    this.gone();
    this.#session?.closed();
  }
}

/** A handshake whose caller is known, and whose socket is counted. */
interface Caller {
  readonly opened: Opened | null;
  readonly counted: CountedStream;
}

function refusal({ contract, request }: Handshake, error: BelfryError): Connection {
  const { status, headers, json } = contract.renderFailure({ error, request, credentialPresented: true });
  return { accepted: false, status, body: JSON.stringify(json), headers: { ...headers, "content-type": "application/json" } };
}
