import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type Http2Server, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { buffer } from "node:stream/consumers";

/** A request that a local server got. */
export interface LocalRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** How a local server answers. */
export interface LocalAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text as it is, anything else as JSON. @default an empty text */
  readonly body?: unknown;
}

/** A server on this machine that stands in for a provider's. */
export interface LocalServer {
  /** Its address: the option `api` or `url` of a channel, beside `allowPrivate: true`. */
  readonly url: string;
  /** How many connections are open. */
  connections(): number;
  /** Ends its connections, and closes it. */
  close(): Promise<void>;
}

/** Runs a server on a free port of this machine. @param answerTo answers a request; null leaves it without an answer, and what it throws breaks it off */
export async function runLocalServer(
  answerTo: (request: LocalRequest) => LocalAnswer | null,
  { http2 = false }: { readonly http2?: boolean } = {},
): Promise<LocalServer> {
  const sockets = new Set<Socket>();
  const onRequest = (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse) => {
    handle(request, response, answerTo).catch(() => response.destroy());
  };
  const server: Server | Http2Server = http2 ? createHttp2Server(onRequest) : createServer(onRequest);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => sockets.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) {
          socket.destroy();
        }
      }),
  };
}

async function handle(
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
  answerTo: (request: LocalRequest) => LocalAnswer | null,
): Promise<void> {
  const body = await buffer(request);
  const { method = "", url: path = "", headers } = request;
  const answer = answerTo({ method, path, headers, body });
  if (answer === null) {
    return;
  }
  const { status, headers: own, body: said = "" } = answer;
  response.statusCode = status;
  const type = typeof said === "string" ? "text/plain" : "application/json";
  for (const [name, value] of Object.entries({ "content-type": type, ...own })) {
    response.setHeader(name, value);
  }
  response.end(typeof said === "string" ? said : JSON.stringify(said));
}

/** The JSON of a body; null for what is none. */
export function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    // The server answers it as a wrong request.
    return null;
  }
}
