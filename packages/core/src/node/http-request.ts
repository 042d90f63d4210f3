import type { IncomingMessage } from "node:http";
import { BelfryError } from "../foundation/errors.ts";
import type { HttpRequest } from "../http/messages.ts";
import { bodyTooLarge } from "../http/read-json.ts";

/** Where a request's routes begin, and the body that a parser of the host's already read. */
export interface RequestPlace {
  /** Path and query below the mount point. */
  readonly url: string;
  /** The prefix that was cut off. */
  readonly mountPath: string;
  /** What the host's parser made of the body. */
  readonly parsedBody?: { readonly value: unknown };
  /** The body's bytes, where the host read but did not parse it. */
  readonly rawBody?: Uint8Array;
}

/** Reads a Node request as plain data. */
export function fromNodeRequest(incoming: IncomingMessage, place: RequestPlace): HttpRequest {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return {
    method: (incoming.method ?? "GET").toUpperCase(),
    url: place.url,
    mountPath: place.mountPath,
    headers,
    body: async (maxBytes) => place.rawBody ?? readBody(incoming, maxBytes),
    ...(place.parsedBody ? { parsedBody: place.parsedBody } : {}),
    ...(incoming.socket.remoteAddress === undefined ? {} : { remoteAddress: incoming.socket.remoteAddress }),
  };
}

async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  if (Number(incoming.headers["content-length"] ?? 0) > maxBytes) {
    // The rest is read and dropped, so that the client hears the answer instead of a reset connection.
    incoming.resume();
    throw bodyTooLarge(maxBytes);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length;
      if (size > maxBytes) {
        incoming.resume();
        throw bodyTooLarge(maxBytes);
      }
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    // The client went away in the middle: nobody hears the answer, and nothing is wrong here.
    throw incoming.complete || error instanceof BelfryError
      ? error
      : new BelfryError("INVALID_JSON", "The connection ended before the request's body did.", { cause: error });
  }
  return Buffer.concat(chunks, size);
}
