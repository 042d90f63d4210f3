import { BelfryError } from "../errors.ts";
import type { HttpRequest, HttpResponse, Peer, ResponseStream } from "./messages.ts";

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
  const tooLarge = () => new BelfryError("PAYLOAD_TOO_LARGE", `The body is larger than the ${maxBytes} bytes allowed.`);
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) {
    throw tooLarge();
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (request.body) {
    for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > maxBytes) {
        throw tooLarge();
      }
      chunks.push(chunk);
    }
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

function readable(stream: ResponseStream): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let stop: (() => void) | null = null;
  let open = true;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const end = () => {
          open = false;
          stop?.();
          stop = null;
        };
        const peer: Peer = {
          get bufferedAmount() {
            return open ? -(controller.desiredSize ?? 0) : 0;
          },
          send(text) {
            if (open) {
              controller.enqueue(encoder.encode(text));
            }
          },
          close() {
            if (open) {
              end();
              controller.close();
            }
          },
        };
        stop = stream.open(peer);
      },
      cancel() {
        open = false;
        stop?.();
        stop = null;
      },
    },
    // With a mark of 0 the desired size is minus what nobody has read yet.
    { highWaterMark: 0, size: (chunk) => chunk.length },
  );
}
