import { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { HttpResponse, Peer, ResponseStream } from "../http/messages.ts";
import { FrameQueue, type FrameSink } from "./frame-queue.ts";

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
  // A 204 has no length. The length for a HEAD or a 304 is that of the GET's 200, which is not known here.
  const isSized = status !== 204 && status !== 304 && outgoing.req.method !== "HEAD";
  outgoing.writeHead(status, isSized ? { ...headers, "content-length": length } : { ...headers });
  if (typeof body === "string") {
    // A text with as many bytes as characters is ASCII, which Latin-1 writes alike, without encoding it.
    outgoing.end(body, length === body.length ? "latin1" : "utf8");
  } else {
    outgoing.end(body ?? undefined);
  }
}

function openStream(outgoing: ServerResponse, stream: ResponseStream): void {
  const stop = stream.open(new ResponsePeer(outgoing));
  // Every response ends with `close`. An error before it is the client's broken connection.
  outgoing.on("close", stop);
  outgoing.on("error", leaveToClose);
}

function leaveToClose(): void {}

// A text for many streams is made a chunk once.
const chunks = new FrameQueue(chunkOf);

/** One chunk of a chunked response (RFC 9112, 7.1). */
function chunkOf(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}

/**
 * The connection itself if whole chunks may go to it, which costs half of what the response's own `write` does; null if not. That has
 * to be used if a middleware replaced it, as to compress the answer, if there are no chunks, as in HTTP/1.0 and HTTP/2, and
 * while an earlier answer still has the connection.
 */
function connectionForChunks({ chunkedEncoding, socket, write }: ServerResponse): Socket | null {
  return chunkedEncoding === true && socket?.writable === true && write === ServerResponse.prototype.write ? socket : null;
}

/**
 * An SSE response as the other end of a stream. Between two events, other work drives the response and its connection out of the processor's
 * caches. So it looks at the connection when it writes, and before that only if it has to, and at the response only whether it has ended.
 */
class ResponsePeer implements Peer, FrameSink {
  gathered = 0;
  readonly #outgoing: ServerResponse;
  /** The connection that its chunks go to; null while they go to the response. */
  #connection: Socket | null = null;
  /** Whether the last write left nothing unread. */
  #isDrained = false;

  constructor(outgoing: ServerResponse) {
    this.#outgoing = outgoing;
  }

  get bufferedAmount(): number {
    return (this.#isDrained ? 0 : this.#outgoing.writableLength) + chunks.lengthOf(this);
  }

  send(text: string): void {
    this.#connection ??= connectionForChunks(this.#outgoing);
    if (this.#connection !== null) {
      chunks.add(this, text);
    } else if (!this.#outgoing.writableEnded && !this.#outgoing.destroyed) {
      this.#outgoing.write(text);
    }
  }

  write(bytes: Buffer): void {
    const connection = this.#connection;
    // A response that is destroyed destroys its connection, too.
    if (connection?.writable === true && !this.#outgoing.writableEnded) {
      connection.write(bytes);
      this.#isDrained = connection.writableLength === 0;
    }
  }

  close(): void {
    // Drops the data that a slow reader has not read. A normal end would keep it in memory.
    if (this.bufferedAmount > POLITE_END_BYTES) {
      this.#outgoing.destroy();
      return;
    }
    // Texts sent in this turn go before the end.
    chunks.write(this);
    this.#outgoing.end();
  }
}
