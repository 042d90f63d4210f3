import type { BelfryError } from "../foundation/errors.ts";
import type { HttpRequest } from "./messages.ts";
import type { CredentialScheme, Principal } from "./principal.ts";
import type { ContractService, OpenStream, Reply, Route } from "./route.ts";

/** Where in a request something is wrong. */
export type RequestPart = "path" | "query" | "body";

/** A failed request, for a contract to put into its own words. */
export interface Failure {
  readonly error: BelfryError;
  /** For a `VALIDATION_ERROR`: which part of the request it is about. */
  readonly part?: RequestPart;
  /** For `UNAUTHENTICATED`: whether a credential was presented at all. */
  readonly credentialPresented?: boolean;
  readonly request: HttpRequest;
}

/** What a WebSocket endpoint of a contract does with messages. */
export interface SocketSession {
  message(text: string): void;
  closed(): void;
}

/** A WebSocket endpoint of a contract. */
export interface SocketEndpoint {
  readonly path: string;
  readonly summary: string;
  /**
   * The query parameter with the contract's credential, which is then asked for at the handshake: without a valid one the
   * answer is the contract's 401, and the session knows its principal. @default the session asks for credentials itself
   */
  readonly credentialParameter?: string;
  /** Opens a session; the handshake is done, so a refusal is a frame and a close code. */
  open(context: SocketContext): SocketSession;
}

/** What a socket session works with. */
export interface SocketContext {
  readonly service: ContractService;
  readonly request: HttpRequest;
  readonly query: URLSearchParams;
  /** Who presented the credential at the handshake; null where the session asks for it. */
  readonly principal: Principal | null;
  readonly stream: OpenStream;
  /** Who a token belongs to, or null. */
  authenticate(scheme: CredentialScheme, credential: string): Promise<Principal | null>;
  /** Closes the socket with 4401 when the credential ends. */
  expireAt(timeMs: number): void;
  /** Logs an error nobody else hears of. */
  report(error: unknown, message: string): void;
}

/** The wire format of one REST and realtime API. */
export interface Contract {
  readonly name: string;
  readonly title: string;
  /** Contracts with the same base share its paths, and the credential decides between them. */
  readonly basePath: string;
  /** How its callers say who they are; `open` for nobody in particular: the default tenant. */
  readonly credential: CredentialScheme | "open";
  readonly principal: Principal["kind"];
  readonly routes: readonly Route[];
  readonly sockets: readonly SocketEndpoint[];
  /** Puts a failure into the contract's own error shape. */
  renderFailure(failure: Failure): Reply;
  /** What a client is sent after 30 s of silence on a socket. @default nothing */
  readonly ping?: string;
}

/** Checks that what a contract says of itself is consistent, and returns it. */
export function defineContract(contract: Contract): Contract {
  const seen = new Set<string>();
  for (const { method, path } of contract.routes) {
    const key = `${method} ${path}`;
    if (seen.has(key) || !path.startsWith("/") || path.endsWith("/")) {
      throw new Error(`The contract ${contract.name} declares the route ${key} twice, or not as /path without a trailing slash.`);
    }
    seen.add(key);
  }
  return contract;
}
