import type { ServerResponse } from "node:http";
import type { HttpResponse, Peer, ResponseStream } from "../http/messages.ts";

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
  const peer: Peer = {
    get bufferedAmount() {
      return outgoing.writableLength;
    },
    send(text) {
      if (!outgoing.writableEnded && !outgoing.destroyed) {
        outgoing.write(text);
      }
    },
    close() {
      // What a slow reader has not taken is dropped: ending politely would keep it in memory.
      if (outgoing.writableLength > 0) {
        outgoing.destroy();
      } else {
        outgoing.end();
      }
    },
  };
  const stop = stream.open(peer);
  outgoing.once("close", stop);
  outgoing.on("error", stop);
}
