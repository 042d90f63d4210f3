import { BelfryError } from "../foundation/errors.ts";
import type { MaybePromise } from "../foundation/maybe-promise.ts";
import type { HttpRequest, HttpResponse, Peer, ResponseStream } from "./messages.ts";
import { belowPrefix, encodedPrefix } from "./mount-path.ts";
import { readBytes } from "./read-json.ts";

/** Wraps a handler for runtimes that use Request and Response. */
export function fetchHandler(
  handle: (request: HttpRequest) => MaybePromise<HttpResponse | null>,
  basePath: string,
): (request: Request) => Promise<Response> {
  const mountPath = encodedPrefix(basePath);
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const url = belowPrefix(pathname + search, mountPath);
    const response = url === null ? null : await handle(fromFetchRequest(request, { url, mountPath }));
    return response ? toFetchResponse(response) : Response.json({ detail: "Not Found" }, { status: 404 });
  };
}

/**
 * Reads a fetch Request as plain data. `place` holds the URL below the mount point, and the mount point.
 *
 * @param remoteAddress the peer's address, where the runtime knows it
 */
export function fromFetchRequest(
  request: Request,
  place: { readonly url: string; readonly mountPath: string },
  remoteAddress?: string,
): HttpRequest {
  return {
    method: request.method.toUpperCase(),
    url: place.url,
    mountPath: place.mountPath,
    origin: () => new URL(request.url).origin,
    headers: new Proxy({}, new HeadersByName(request.headers)),
    body: (maxBytes) => readBody(request, maxBytes),
    remoteAddress,
  };
}

/** Shows Headers as an object of texts. It looks each one up when it is asked for: to copy all of them costs more than to answer a count. */
class HeadersByName implements ProxyHandler<object> {
  readonly #headers: Headers;

  constructor(headers: Headers) {
    this.#headers = headers;
  }

  get(target: object, name: string | symbol): unknown {
    return this.#valueOf(name) ?? Reflect.get(target, name);
  }

  has(target: object, name: string | symbol): boolean {
    return this.#valueOf(name) !== null || Reflect.has(target, name);
  }

  ownKeys(): string[] {
    return [...new Set(this.#headers.keys())];
  }

  getOwnPropertyDescriptor(_: object, name: string | symbol): PropertyDescriptor | undefined {
    const value = this.#valueOf(name);
    return value === null ? undefined : { value, enumerable: true, configurable: true };
  }

  #valueOf(name: string | symbol): string | null {
    return isHeaderName(name) ? this.#headers.get(name) : null;
  }
}

/** Whether Headers can have it: they refuse to look for anything else. */
function isHeaderName(name: string | symbol): name is string {
  return typeof name === "string" && /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name);
}

/** Makes a fetch Response from a plain response. */
export function toFetchResponse({ status, headers, body }: HttpResponse): Response {
  const init = { status, headers: { ...headers } };
  if (body === null || typeof body === "string") {
    return new Response(body, init);
  }
  return body instanceof Uint8Array ? new Response(new Uint8Array(body), init) : new Response(readable(body), init);
}

async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  if (request.bodyUsed) {
    throw new BelfryError(
      "CONFIGURATION",
      "The request's body was read before Belfry got the request. Hand the request over unread, or read a clone of it.",
    );
  }
  const chunks = () => (request.body ?? []) as unknown as AsyncIterable<Uint8Array>;
  return readBytes(chunks, { maxBytes, declaredLength: request.headers.get("content-length") });
}

const encoder = new TextEncoder();

/** When a stream ends, Belfry does not wait for a reader with more than this outstanding. */
const POLITE_END_BYTES = 64 * 1024;

function readable(stream: ResponseStream): ReadableStream<Uint8Array> {
  let peer: StreamPeer | null = null;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        peer = new StreamPeer(controller, stream);
      },
      cancel() {
        peer?.end();
      },
    },
    // With a mark of 0, the desired size is minus the number of unread bytes.
    { highWaterMark: 0, size: (chunk) => chunk.length },
  );
}

class StreamPeer implements Peer {
  readonly #controller: ReadableStreamDefaultController<Uint8Array>;
  #stop: (() => void) | null = null;
  #open = true;

  constructor(controller: ReadableStreamDefaultController<Uint8Array>, stream: ResponseStream) {
    this.#controller = controller;
    const stop = stream.open(this);
    if (this.#open) {
      this.#stop = stop;
    } else {
      stop();
    }
  }

  get bufferedAmount(): number {
    return this.#open ? -(this.#controller.desiredSize ?? 0) : 0;
  }

  send(text: string): void {
    if (this.#open) {
      this.#controller.enqueue(encoder.encode(text));
    }
  }

  close(): void {
    const outstanding = this.bufferedAmount;
    if (!this.end()) {
      return;
    }
    if (outstanding > POLITE_END_BYTES) {
      // Drops the data that a slow reader has not read. A normal end would keep it in memory.
      this.#controller.error(new Error("The stream was ended because its reader was too slow."));
    } else {
      this.#controller.close();
    }
  }

  /** Stops the writer of the stream. Returns false if it was stopped before. */
  end(): boolean {
    const wasOpen = this.#open;
    this.#open = false;
    this.#stop?.();
    this.#stop = null;
    return wasOpen;
  }
}
