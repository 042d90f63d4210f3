import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { HttpRequest } from "../http/messages.ts";
import { readBytes } from "../http/read-json.ts";

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
  /** Returns the scheme and host that the framework knows better than the connection. @default those of the connection */
  readonly origin?: () => string | undefined;
}

/**
 * The path and query of a request's target. A client that takes the server for a proxy sends a whole URL (RFC 9112, 3.2.2);
 * its host means nothing to Belfry.
 */
export function targetOf(target: string): string {
  if (target.startsWith("/")) {
    return target;
  }
  const [authority = ""] = /^https?:\/\/[^/?#]*/i.exec(target) ?? [];
  const rest = target.slice(authority.length);
  return authority === "" || rest.startsWith("/") ? rest : `/${rest}`;
}

/**
 * Reads a Node request as plain data.
 *
 * @param remoteAddress the peer's address, where the framework knows it better than the connection
 */
export function fromNodeRequest(
  incoming: IncomingMessage,
  place: RequestPlace,
  remoteAddress: string | undefined = incoming.socket.remoteAddress,
): HttpRequest {
  const { url, mountPath, origin, parsedBody, rawBody } = place;
  const request: HttpRequest = {
    method: (incoming.method ?? "GET").toUpperCase(),
    url: targetOf(url),
    mountPath,
    origin: origin ?? (() => originOf(incoming)),
    headers: plainHeaders(incoming.headers),
    body: async (maxBytes) => rawBody ?? readBody(incoming, maxBytes),
    remoteAddress,
  };
  return parsedBody === undefined ? request : { ...request, parsedBody };
}

/** The scheme of the connection, and the host that the request names. */
function originOf({ socket, headers }: IncomingMessage): string | undefined {
  const isEncrypted = "encrypted" in socket && socket.encrypted === true;
  const host = headers.host ?? headers[":authority"];
  return typeof host === "string" ? `${isEncrypted ? "https" : "http"}://${host}` : undefined;
}

/** Headers that are all texts. Node has joined repeated ones, but for `Set-Cookie`, which no request should have. */
function plainHeaders(headers: IncomingHttpHeaders): HttpRequest["headers"] {
  if (headers["set-cookie"] === undefined) {
    return headers as HttpRequest["headers"];
  }
  return { ...headers, "set-cookie": headers["set-cookie"].join(", ") } as HttpRequest["headers"];
}

async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const declaredLength = incoming.headers["content-length"];
  try {
    const chunks = (): AsyncIterable<Buffer> => incoming.iterator({ destroyOnReturn: false });
    return await readBytes(chunks, { maxBytes, declaredLength, isComplete: () => incoming.complete });
  } catch (error) {
    // Reads and drops the rest, so that the client gets the answer instead of a reset connection.
    incoming.resume();
    throw error;
  }
}
