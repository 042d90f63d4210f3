/** A request as plain data, without a framework. Adapters pass it to Belfry. */
export interface HttpRequest {
  /** The method in uppercase. */
  readonly method: string;
  /** The path and query that the client sent, below the mount point: `/api/v1/notifications?limit=20`. */
  readonly url: string;
  /** The headers by lowercase name. Repeated headers are joined with ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /**
   * Reads the raw body, at most `maxBytes`. It is called at most once, only for routes that take a body, and only after the
   * caller is known. Throws a `PAYLOAD_TOO_LARGE` BelfryError for a larger body.
   */
  body(maxBytes: number): Promise<Uint8Array>;
  /** The body that the host's own parser (such as `express.json()`) parsed. If it is set, {@link body} is not called. */
  readonly parsedBody?: { readonly value: unknown };
  /** The path prefix the routes are mounted under, for links; "" at the root. */
  readonly mountPath?: string;
  /**
   * Returns the scheme and host by which the client reached the server, such as `https://api.example.com`, for absolute links. They are
   * as the client, or a proxy that the host trusts, named them. Undefined if the request names no host.
   */
  origin?(): string | undefined;
  /** The peer's address, if the adapter knows it. */
  readonly remoteAddress?: string | undefined;
}

/** Belfry's response, which an adapter writes out. */
export interface HttpResponse {
  readonly status: number;
  /** The headers by lowercase name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Text, bytes, a stream of text (SSE), or null for no body. */
  readonly body: string | Uint8Array | ResponseStream | null;
}

/** A response that stays open. The adapter sends the head, then calls {@link open} with the peer to write to. */
export interface ResponseStream {
  /** Starts writing to `peer`. The adapter calls the returned function once when the client is gone. */
  open(peer: Peer): () => void;
}

/**
 * The other end of a stream: a WebSocket (one message a `send`) or an SSE response (one piece of text a `send`).
 * After the other end is gone, `send` and `close` do nothing.
 */
export interface Peer {
  send(text: string): void;
  /** Closes a WebSocket with this code and reason, or ends an SSE response. */
  close(code?: number, reason?: string): void;
  /**
   * Asks the other end for a sign of life, below the level of contracts. Returns false when it has not answered for too
   * long: it is gone without notice, as after a cut cable.
   * @default the other end counts as alive
   */
  isAlive?(): boolean;
  /** Bytes handed to `send` that the network has not taken yet. */
  readonly bufferedAmount: number;
}
