import { createServer, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { NotificationService } from "@belfry/core";
import { inboxV1 } from "@belfry/core/contracts";
import { createHandler } from "@belfry/core/http";
import { fromNodeRequest, upgradeListener, writeResponse } from "@belfry/core/node";
import { SignJWT } from "jose";
import { type WebSocket, WebSocketServer } from "ws";
import { listen, portOf } from "./http-servers.ts";

const SECRET = "a secret of the benchmark, long enough";

/** A server that connections stay open to. */
export interface OpenServer {
  readonly port: number;
  /** The request that opens a connection. */
  readonly request: string;
  readonly kind: "websocket" | "stream";
  close(): void;
}

/** One that is written by hand: it has what is open. */
export interface RawServer extends OpenServer {
  /** Open WebSockets. */
  readonly webSockets: Set<WebSocket>;
  /** The connections of open WebSockets or streams, for whole frames or chunks. */
  readonly connections: Set<Duplex>;
  /** Open streams. */
  readonly responses: Set<ServerResponse>;
}

/** The path of a user's WebSocket or stream at a server of {@link belfrySockets}. */
export async function pathFor(userId: string, kind: OpenServer["kind"]): Promise<string> {
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(userId)
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(SECRET));
  return `${kind === "websocket" ? "/api/v1/ws/events" : "/api/v1/notifications/stream"}?token=${token}`;
}

/** A server with Belfry's `inbox-v1`. Its request is of the user "ann". */
export async function belfrySockets(service: NotificationService, kind: OpenServer["kind"]): Promise<OpenServer> {
  const handler = createHandler(service, { contracts: [inboxV1()], auth: { jwt: { secret: SECRET } } });
  const server = createServer(async (request, response) => {
    const answer = await handler.handle(fromNodeRequest(request, { url: request.url ?? "/", mountPath: "" }));
    writeResponse(response, answer ?? { status: 404, headers: {}, body: null });
  });
  server.on("upgrade", upgradeListener(handler));
  await listen(server);
  return {
    kind,
    port: portOf(server),
    request: requestOf(kind, await pathFor("ann", kind)),
    close: () => {
      handler.close();
      end(server);
    },
  };
}

/** A server with nothing but `ws`, as lean as its options make it. */
export async function plainSockets(): Promise<RawServer> {
  const webSockets = new Set<WebSocket>();
  const connections = new Set<Duplex>();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false });
  const server = createServer();
  server.on("upgrade", (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSockets.add(webSocket);
      connections.add(socket);
      webSocket.on("close", () => {
        webSockets.delete(webSocket);
        connections.delete(socket);
      });
    });
  });
  await listen(server);
  const request = requestOf("websocket", "/");
  return { kind: "websocket", port: portOf(server), request, webSockets, connections, responses: new Set(), close: () => end(server) };
}

/** A server of streams with nothing but `node:http`. */
export async function plainStreams(): Promise<RawServer> {
  const responses = new Set<ServerResponse>();
  const connections = new Set<Duplex>();
  const server = createServer((request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache, no-transform" });
    response.write("retry: 1000\n\n");
    responses.add(response);
    connections.add(request.socket);
    response.on("close", () => {
      responses.delete(response);
      connections.delete(request.socket);
    });
  });
  await listen(server);
  const request = requestOf("stream", "/");
  return { kind: "stream", port: portOf(server), request, webSockets: new Set(), connections, responses, close: () => end(server) };
}

/** A whole unmasked text frame (RFC 6455, 5.2). */
export function frameOf(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const header = length < 126 ? Buffer.from([0x81, length]) : Buffer.from([0x81, 126, length >> 8, length & 0xff]);
  return Buffer.concat([header, Buffer.from(text)]);
}

/** A whole chunk of a chunked response (RFC 9112, 7.1). */
export function chunkOf(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}

function requestOf(kind: OpenServer["kind"], path: string): string {
  const upgrade =
    "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  return `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${kind === "websocket" ? upgrade : "accept: text/event-stream\r\n"}\r\n`;
}

function end(server: Server): void {
  server.closeAllConnections();
  server.close();
}
