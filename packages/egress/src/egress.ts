import type { Connect } from "./connect.ts";
import type { Resolve } from "./resolve.ts";

/** The options of the guarded client. */
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
  /** Opens the connection, always to checked addresses; for hosts that reach the outside through a gateway. @default a socket */
  readonly connect?: Connect;
}

/** One request. */
export interface EgressRequest {
  readonly method: "GET" | "POST";
  /** Headers, with names in any case. The client sets `Host`, `Content-Length` and `Accept-Encoding` itself. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The time from the look-up to the last byte of the answer. @default 15,000 */
  readonly timeoutMs?: number;
  /** How many bytes of the decoded answer are read. @default 16,384 */
  readonly maxBytes?: number;
  /**
   * Says what to do with a longer or unfinished body: `cut` keeps its beginning, since the status has already told the
   * result; `refuse` makes the request fail.
   * @default "cut"
   */
  readonly overflow?: "cut" | "refuse";
  /** Ends the request early. */
  readonly signal?: AbortSignal;
}

/** The reason why a request got no answer. */
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

/** An answer with any status: redirects are returned, never followed. */
export interface EgressAnswer {
  readonly ok: true;
  readonly status: number;
  /** The headers, with names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Whether the body was longer than the part that was kept. */
  readonly isCut: boolean;
}

/** A request without a usable answer. */
export interface EgressFailure {
  readonly ok: false;
  readonly code: EgressFailureCode;
  /** Whether the same request may succeed later. */
  readonly transient: boolean;
  /** One fixed text for each code, so that it tells nothing about the host's own network. */
  readonly error: string;
}

/** The result of a request. */
export type EgressResult = EgressAnswer | EgressFailure;

/**
 * A client for URLs that others chose. Before it sends anything, it checks the literal host, or every address of the name,
 * and refuses the request if one of them may not be reached. It then connects only to the checked addresses.
 */
export interface Egress {
  /**
   * Says why `url` is refused; null if it is not. It looks only at the URL, so call it when you save one. A name that
   * resolves to a private address passes here; {@link Egress.send} refuses it.
   */
  checkUrl(url: string): string | null;
  /** Sends one request. It follows no redirect, and nothing outlives its deadline. Failures are in the result; it rejects
   * only for a request that HTTP cannot carry, for example with a line break in a header. */
  send(url: string, request: EgressRequest): Promise<EgressResult>;
}
