import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";

/** One received request. */
export interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver of webhooks on 127.0.0.1, and the requests it got. */
export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** How many connections it has had. */
  readonly connections: () => number;
  readonly openConnections: () => number;
  readonly close: () => Promise<void>;
}

/** Starts a receiver that answers with `answer`, by default 204. */
export async function httpReceiver(answer: (response: ServerResponse, request: Received) => void = noContent): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) {
      chunks.push(chunk);
    }
    const got = { method: request.method, path: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() };
    received.push(got);
    answer(response, got);
  });
  return listening(server, received);
}

/** Starts a TCP listener that calls `onConnection` for each connection. */
export function tcpReceiver(onConnection: (socket: Socket) => void): Promise<Receiver> {
  return listening(createTcpServer(onConnection), []);
}

function noContent(response: ServerResponse): void {
  response.writeHead(204).end();
}

async function listening(server: Server, received: Received[]): Promise<Receiver> {
  const open = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    open.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`,
    received,
    connections: () => connections,
    openConnections: () => open.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) {
          socket.destroy();
        }
      }),
  };
}
