import type { ServerResponse } from "node:http";
import type { HttpResponse, Peer, ResponseStream } from "../http/messages.ts";

/** A reader with more than this outstanding is not waited for when its stream ends. */
const POLITE_END_BYTES = 64 * 1024;

/** Writes a plain response to a Node one. */
export function writeResponse(outgoing: ServerResponse, { status, headers, body }: HttpResponse): void {
  if (outgoing.destroyed) {
    return;
  }
  if (body !== null && typeof body !== "string" && !(body instanceof Uint8Array)) {
    outgoing.writeHead(status, { ...headers });
    outgoing.flushHeaders();
    openStream(outgoing, body);
    return;
  }
  const length = typeof body === "string" ? Buffer.byteLength(body) : (body?.length ?? 0);
  // A 204 has no length; a HEAD's is the one of the GET, which is not known here.
  const sized = status === 204 || outgoing.req.method === "HEAD" ? {} : { "content-length": String(length) };
  outgoing.writeHead(status, { ...headers, ...sized });
  outgoing.end(body ?? undefined);
}

function openStream(outgoing: ServerResponse, stream: ResponseStream): void {
  const stop = stream.open(new ResponsePeer(outgoing));
  // Whichever way a response ends, `close` follows; an error before it is the client's broken connection.
  outgoing.once("close", stop);
  outgoing.on("error", () => {});
}

/** An SSE response as the other end of a stream. */
class ResponsePeer implements Peer {
  readonly #outgoing: ServerResponse;

  constructor(outgoing: ServerResponse) {
    this.#outgoing = outgoing;
  }

  get bufferedAmount(): number {
    return this.#outgoing.writableLength;
  }

  send(text: string): void {
    if (!this.#outgoing.writableEnded && !this.#outgoing.destroyed) {
      this.#outgoing.write(text);
    }
  }

  close(): void {
    // What a slow reader has not taken is dropped: ending politely would keep it in memory.
    if (this.#outgoing.writableLength > POLITE_END_BYTES) {
      this.#outgoing.destroy();
    } else {
      this.#outgoing.end();
    }
  }
}
