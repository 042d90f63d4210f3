/** A request as an adapter hands it to Belfry: plain data, no framework. */
export interface HttpRequest {
  /** Uppercase. */
  readonly method: string;
  /** Path and query as the client sent them, below the mount point: `/api/v1/notifications?limit=20`. */
  readonly url: string;
  /** By lowercase name; repeated headers joined with ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /**
   * Reads the raw body, at most `maxBytes`, and is called at most once, only for routes that take a body and after the
   * caller is known. Throws a `PAYLOAD_TOO_LARGE` BelfryError when there is more.
   */
  body(maxBytes: number): Promise<Uint8Array>;
  /** The body as the host's own parser (such as `express.json()`) left it; then {@link body} is not called. */
  readonly parsedBody?: { readonly value: unknown };
  /** The path prefix the routes are mounted under, for links; "" at the root. */
  readonly mountPath?: string;
  /** The peer's address, if the adapter knows it. */
  readonly remoteAddress?: string;
}

/** What Belfry answers, for an adapter to write out. */
export interface HttpResponse {
  readonly status: number;
  /** By lowercase name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Text, bytes, a stream of text (SSE), or null for no body. */
  readonly body: string | Uint8Array | ResponseStream | null;
}

/** A response that goes on: the adapter calls {@link open} with where to write, once the head is sent. */
export interface ResponseStream {
  /** Starts writing to `peer`; the returned function is called once when the client is gone. */
  open(peer: Peer): () => void;
}

/**
 * The other end of a stream: a WebSocket (one message a `send`) or an SSE response (one piece of text a `send`).
 * After the other end is gone, `send` and `close` do nothing.
 */
export interface Peer {
  send(text: string): void;
  /** Closes; for a WebSocket with this code and reason, an SSE response just ends. */
  close(code?: number, reason?: string): void;
  /**
   * Asks the other end for a sign of life, below anything a contract says. False when it has owed one for too long: it is gone
   * without a word, as after a cut cable. @default the other end counts as alive
   */
  isAlive?(): boolean;
  /** Bytes handed to `send` that the network has not taken yet. */
  readonly bufferedAmount: number;
}
