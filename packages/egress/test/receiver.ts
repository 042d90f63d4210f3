import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { TEST_CERTIFICATE, TEST_KEY } from "./certificate.ts";

/** A listener on a free port of 127.0.0.1. */
export interface Receiver {
  readonly port: number;
  /** How many connections it has seen. */
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

/** Listens with `server` and counts its connections. */
async function listen(server: Server): Promise<Receiver> {
  let connections = 0;
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    connections += 1;
    open.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) {
          socket.destroy();
        }
      }),
  };
}

/** An HTTP server. */
export function httpReceiver(listener: RequestListener): Promise<Receiver> {
  return listen(createHttpServer(listener));
}

/** An HTTPS server with the test certificate. */
export function httpsReceiver(listener: RequestListener): Promise<Receiver> {
  return listen(createHttpsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, listener));
}

/** A TCP server, for answers that are not valid HTTP. */
export function tcpReceiver(onConnection: (socket: Socket) => void): Promise<Receiver> {
  return listen(createTcpServer(onConnection));
}

/** Reads a whole request body. */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
