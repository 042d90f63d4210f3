import type { ServerResponse } from "node:http";
import type { HttpResponse, Peer, ResponseStream } from "../http/messages.ts";

/** When a stream ends, Belfry does not wait for a reader with more unread bytes than this. */
const POLITE_END_BYTES = 64 * 1024;

/** Writes a plain response to a Node response. */
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
  // A 204 has no length. The length for a HEAD is that of the GET, which is not known here.
  const sized = status === 204 || outgoing.req.method === "HEAD" ? {} : { "content-length": String(length) };
  outgoing.writeHead(status, { ...headers, ...sized });
  outgoing.end(body ?? undefined);
}

function openStream(outgoing: ServerResponse, stream: ResponseStream): void {
  const stop = stream.open(new ResponsePeer(outgoing));
  // Every response ends with `close`. An error before it is the client's broken connection.
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
    // Drops the data that a slow reader has not read. A normal end would keep it in memory.
    if (this.#outgoing.writableLength > POLITE_END_BYTES) {
      this.#outgoing.destroy();
    } else {
      this.#outgoing.end();
    }
  }
}
