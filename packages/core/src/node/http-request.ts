import type { IncomingMessage } from "node:http";
import { BelfryError } from "../foundation/errors.ts";
import type { HttpRequest } from "../http/messages.ts";
import { bodyTooLarge } from "../http/read-json.ts";

/** The URL below the mount point, the mount point, and the body if the host has already read it. */
export interface RequestPlace {
  /** Path and query below the mount point. */
  readonly url: string;
  /** The prefix that was cut off. */
  readonly mountPath: string;
  /** The body as the host's parser parsed it. */
  readonly parsedBody?: { readonly value: unknown };
  /** The body's bytes, if the host read but did not parse it. */
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
    // Reads and drops the rest, so that the client gets the answer instead of a reset connection.
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
    // The client disconnected in the middle. Nobody receives the answer, and this is no error.
    throw incoming.complete || error instanceof BelfryError
      ? error
      : new BelfryError("INVALID_JSON", "The connection ended before the request's body did.", { cause: error });
  }
  return Buffer.concat(chunks, size);
}
