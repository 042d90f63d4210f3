import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type ServerOptions, WebSocketServer } from "ws";
import { createHandler, type HttpHandler } from "../http/create-handler.ts";
import type { HandlerOptions } from "../http/handler-options.ts";
import { belowPrefix, encodedPrefix } from "../http/mount-path.ts";
import type { ContractService } from "../http/route.ts";
import type { Connection } from "../http/socket.ts";
import { fromNodeRequest, targetOf } from "./http-request.ts";
import { attachSocket, type PeerSocket, peerSocketClass } from "./socket-peer.ts";

/** The listener of a Node server's `upgrade` event. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** A handler that is mounted into a framework over Node's server. */
export interface Mounted {
  /** Serves WebSockets. Give it to Node's server: `server.on("upgrade", belfry.upgrade)`. */
  readonly upgrade: UpgradeListener;
  /** The handler inside, for its OpenAPI documents. */
  readonly handler: HttpHandler;
  /** Ends every open stream and socket (1012). Call it before the server closes. */
  close(): void;
}

/** Builds the parts of a mount that are alike in every framework. Throws as `createHandler` does. */
export function mounted(service: ContractService, options: HandlerOptions): Mounted {
  const handler = createHandler(service, options);
  return { handler, upgrade: upgradeListener(handler, options.basePath), close: () => handler.close() };
}

const MAX_MESSAGE_BYTES = 64 * 1024;
const MAX_FRAGMENTS = 16;

/** The longest time that a client may take to answer a close frame. */
const CLOSE_TIMEOUT_MS = 5_000;

/**
 * Opens WebSockets for a handler. It leaves sockets on other paths to the host's other listeners. If there is no other
 * listener, it answers them with a 404.
 *
 * @param basePath the fixed prefix that the contracts are mounted under, "" at the root
 */
export function upgradeListener(handler: HttpHandler, basePath = ""): UpgradeListener {
  const prefix = encodedPrefix(basePath);
  // It is made on first use, so that a runtime without Node's sockets never needs it.
  let server: WebSocketServer | null = null;
  return (incoming, socket, head) => {
    const url = belowPrefix(targetOf(incoming.url ?? "/"), prefix);
    if (url === null) {
      leave(incoming, socket);
      return;
    }
    // A socket that breaks during the decision must not end the process.
    socket.on("error", destroyBroken);
    const request = fromNodeRequest(incoming, { url, mountPath: prefix });
    handler
      .connect(request)
      .then((connection) => {
        socket.off("error", destroyBroken);
        if (connection === null) {
          leave(incoming, socket);
        } else if (connection.accepted) {
          server ??= webSocketServer();
          server.handleUpgrade(incoming, socket, head, (webSocket) => attachSocket(webSocket as PeerSocket, socket, connection));
        } else {
          refuse(socket, connection);
        }
      })
      .catch((error: unknown) => {
        handler.logger.error({ error }, "Belfry could not open a WebSocket.");
        socket.destroy();
      });
  };
}

function webSocketServer(): WebSocketServer {
  const options: ServerOptions & { readonly maxFragments: number; readonly closeTimeout: number } = {
    WebSocket: peerSocketClass(),
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    maxFragments: MAX_FRAGMENTS,
    closeTimeout: CLOSE_TIMEOUT_MS,
    // Compression would keep buffers per socket, and the handler's own registry already knows every socket: what an
    // idle socket costs limits how many a process holds.
    perMessageDeflate: false,
    clientTracking: false,
    // The contracts have no subprotocols. Without this, ws would choose the first that a client offers.
    handleProtocols: () => false,
  };
  return new WebSocketServer(options);
}

function destroyBroken(this: Duplex): void {
  this.destroy();
}

function leave(incoming: IncomingMessage, socket: Duplex): void {
  const { server } = incoming.socket as { server?: { listenerCount(event: string): number } };
  if (server?.listenerCount("upgrade") === 1) {
    refuse(socket, { status: 404, body: "There is no WebSocket at this path." });
  }
}

/** Answers a handshake with a plain HTTP response. */
function refuse(socket: Duplex, refusal: Omit<Extract<Connection, { accepted: false }>, "accepted">): void {
  const { status, body, headers = {} } = refusal;
  socket.on("error", destroyBroken);
  socket.once("finish", () => socket.destroy());
  const lines = [
    `HTTP/1.1 ${status} Refused`,
    "connection: close",
    ...Object.entries({ "content-type": "text/plain; charset=utf-8", ...headers }).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`);
}
