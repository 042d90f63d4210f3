import type { z } from "zod";
import type { BelfryError } from "../foundation/errors.ts";
import type { HttpRequest } from "./messages.ts";
import type { CredentialScheme, Principal } from "./principal.ts";
import type { ContractService, OpenStream, Reply, Route } from "./route.ts";

/** The part of a request that is wrong. */
export type RequestPart = "path" | "query" | "body";

/** A failed request, which the contract renders in its own error shape. */
export interface Failure {
  readonly error: BelfryError;
  /** For a `VALIDATION_ERROR`: the part of the request that is wrong, if it is known. */
  readonly part?: RequestPart | undefined;
  /** For `UNAUTHENTICATED`: whether the request had a credential. */
  readonly credentialPresented?: boolean;
  readonly request: HttpRequest;
}

/** A session of a contract's WebSocket endpoint. It handles the messages. */
export interface SocketSession {
  message(text: string): void;
  closed(): void;
}

/** A WebSocket endpoint of a contract. */
export interface SocketEndpoint {
  /** It has `{name}` for a parameter, and no trailing slash. */
  readonly path: string;
  readonly summary: string;
  /**
   * The query parameter with the contract's credential. The handshake then requires it: without a valid one the answer is
   * the contract's 401, and with one the session knows its principal.
   */
  readonly credentialParameter?: string;
  /** Opens a session after the handshake. A refusal is therefore a frame and a close code. */
  open(context: SocketContext, handshake: SocketHandshake): SocketSession;
}

/** The request that opened a socket. A session that keeps it keeps all of the request's headers. */
export interface SocketHandshake {
  readonly request: HttpRequest;
  readonly query: URLSearchParams;
  /** The parameters of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

/** The parts that a socket session uses. */
export interface SocketContext {
  readonly service: ContractService;
  /** The principal of the handshake's ticket or credential; null if the session itself asks for a credential. */
  readonly principal: Principal | null;
  readonly stream: OpenStream;
  /** Returns the principal of a credential, or null. The socket closes with 4401 when the credential ends. */
  authenticate(scheme: CredentialScheme, credential: string): Promise<Principal | null>;
  /** Logs an error that is reported nowhere else. */
  report(error: unknown, message: string): void;
}

/** The wire format of one REST and realtime API. */
export interface Contract {
  readonly name: string;
  readonly title: string;
  /** The base of its paths. If contracts have the same base, the credential decides between them. */
  readonly basePath: string;
  /** The kind of credential that its callers present. `open` needs none and serves the default tenant. */
  readonly credential: CredentialScheme | "open";
  readonly principal: Principal["kind"];
  readonly routes: readonly Route[];
  /** Its WebSocket endpoints. @default none */
  readonly sockets?: readonly SocketEndpoint[];
  /** Renders a failure in the contract's own error shape. */
  renderFailure(failure: Failure): Reply;
  /** The body of errors that are described by a text, for the OpenAPI document. @default not documented */
  readonly errorSchema?: z.ZodType;
  /** The media type of that body. @default "application/json" */
  readonly errorType?: string;
  /** The message that a client gets after 30 s of silence on a socket. @default nothing */
  readonly ping?: string;
}

/**
 * Checks that a contract's definition is consistent, and returns it.
 *
 * @example
 * ```ts
 * const bell = defineContract({
 *   name: "bell",
 *   title: "The bell of our front end",
 *   basePath: "/bell",
 *   credential: "token",
 *   principal: "user",
 *   routes: [count],
 *   renderFailure: (failure) => fastapiFailure(failure, "Token"),
 * });
 * ```
 */
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
