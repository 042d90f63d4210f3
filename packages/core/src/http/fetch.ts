import { BelfryError } from "../foundation/errors.ts";
import type { HttpRequest, HttpResponse, Peer, ResponseStream } from "./messages.ts";
import { bodyTooLarge } from "./read-json.ts";

/** Wraps a handler for runtimes that speak Request and Response. */
export function fetchHandler(
  handle: (request: HttpRequest) => Promise<HttpResponse | null>,
  mountPath: string,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const response = await handle(fromFetchRequest(request, { url: pathname + search, mountPath }));
    return response ? toFetchResponse(response) : Response.json({ detail: "Not Found" }, { status: 404 });
  };
}

/** Reads a fetch Request as plain data; `place` says where the routes begin. */
export function fromFetchRequest(request: Request, place: { readonly url: string; readonly mountPath: string }): HttpRequest {
  return {
    method: request.method.toUpperCase(),
    url: place.url,
    mountPath: place.mountPath,
    headers: Object.fromEntries(request.headers),
    body: (maxBytes) => readBody(request, maxBytes),
  };
}

/** Makes a fetch Response of a plain one. */
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
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) {
    throw bodyTooLarge(maxBytes);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of (request.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > maxBytes) {
        throw bodyTooLarge(maxBytes);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    // The client went away in the middle: nobody hears the answer, and nothing is wrong here.
    throw error instanceof BelfryError
      ? error
      : new BelfryError("INVALID_JSON", "The connection ended before the request's body did.", { cause: error });
  }
  return joined(chunks, size);
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

const encoder = new TextEncoder();

/** A reader with more than this outstanding is not waited for when its stream ends. */
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
    // With a mark of 0 the desired size is minus what nobody has read yet.
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
      // What a slow reader has not taken is dropped: ending politely would keep it in memory.
      this.#controller.error(new Error("The stream was ended because its reader was too slow."));
    } else {
      this.#controller.close();
    }
  }

  /** Stops what writes to the stream; false if that was done before. */
  end(): boolean {
    const wasOpen = this.#open;
    this.#open = false;
    this.#stop?.();
    this.#stop = null;
    return wasOpen;
  }
}
