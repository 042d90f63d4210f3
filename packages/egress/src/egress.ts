import type { Connect } from "./connect.ts";
import type { Resolve } from "./resolve.ts";

/** How the guarded client is set up. */
export interface EgressOptions {
  /**
   * Lets requests reach loopback and private networks, and use plain http. Cloud metadata, link-local, multicast and
   * reserved addresses stay out of reach.
   * @default false
   */
  readonly allowPrivate?: boolean;
  /** Certificate authorities to trust instead of the well-known ones, as PEM. @default Node's own */
  readonly ca?: string | readonly string[];
  /** Looks names up. @default the system's resolver, hosts file included */
  readonly resolve?: Resolve;
  /** Opens the connection, always to addresses that were checked; for hosts that leave through a gateway. @default a socket */
  readonly connect?: Connect;
}

/** One request. */
export interface EgressRequest {
  readonly method: "GET" | "POST";
  /** Sent besides `Host`, `Content-Length` and `Accept-Encoding`, which are the client's own. Names in any case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** From the look-up to the last byte of the answer. @default 15,000 */
  readonly timeoutMs?: number;
  /** How much of the answer's body is read, decoded. @default 16,384 */
  readonly maxBytes?: number;
  /**
   * What a longer, or unfinished, body means: `cut` keeps its beginning, as the status has already said what
   * happened; `refuse` makes the request fail.
   * @default "cut"
   */
  readonly overflow?: "cut" | "refuse";
  /** Ends the request early. */
  readonly signal?: AbortSignal;
}

/** Why a request got no answer. */
export type EgressFailureCode =
  | "invalid_url"
  | "blocked_address"
  | "unreachable"
  | "tls_failed"
  | "timeout"
  | "aborted"
  | "connection_lost"
  | "bad_answer"
  | "too_large";

/** The request got an answer, of any status: redirects are returned, never followed. */
export interface EgressAnswer {
  readonly ok: true;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Whether there was more of the body than was kept. */
  readonly isCut: boolean;
}

/** The request got no answer that could be used. */
export interface EgressFailure {
  readonly ok: false;
  readonly code: EgressFailureCode;
  /** Whether the same request may succeed later. */
  readonly transient: boolean;
  /** The same text for every cause of one code, so that it tells nothing about the host's own network. */
  readonly error: string;
}

/** What a request came to. */
export type EgressResult = EgressAnswer | EgressFailure;

/**
 * A client for URLs that others chose. Each request is refused, before anything is sent, unless its literal host and
 * every address its name resolves to may be reached; the connection then goes to those addresses and no others.
 */
export interface Egress {
  /**
   * Says why `url` is refused, or null. Looks at the URL alone, so it fits the moment something is saved: a name that
   * resolves to a private address passes here and is refused by {@link Egress.send}.
   */
  checkUrl(url: string): string | null;
  /** Sends one request. No redirect is followed, and nothing outlives its deadline. What goes wrong is in the result; it
   * rejects only for a request that HTTP cannot carry, such as a header with a line break. */
  send(url: string, request: EgressRequest): Promise<EgressResult>;
}
