import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import type { Handler } from "../http/create-handler.ts";
import type { Connection } from "../http/socket.ts";
import { fromNodeRequest } from "./http-request.ts";

/** The listener of a Node server's `upgrade` event. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

const MAX_MESSAGE_BYTES = 64 * 1024;
const MAX_FRAGMENTS = 16;

/**
 * Opens WebSockets for a handler. Sockets whose path is no contract's are left alone, for the host's other listeners.
 *
 * @param basePath the prefix the contracts are mounted under, "" at the root
 */
export function upgradeListener(handler: Handler, basePath = ""): UpgradeListener {
  // Compression would keep a buffer per socket, and its memory is what limits how many a process holds.
  const options = { noServer: true, maxPayload: MAX_MESSAGE_BYTES, maxFragments: MAX_FRAGMENTS, perMessageDeflate: false };
  const server = new WebSocketServer(options);
  const prefix = basePath === "/" ? "" : basePath.replace(/\/$/, "");
  return (incoming, socket, head) => {
    const url = incoming.url ?? "/";
    if (prefix !== "" && !url.startsWith(`${prefix}/`)) {
      return;
    }
    // A socket that breaks while it is decided about must not bring the process down.
    const onError = () => void socket.destroy();
    const request = fromNodeRequest(incoming, { url: url.slice(prefix.length), mountPath: prefix });
    handler.connect(request).then(
      (connection) => {
        if (connection === null) {
          return;
        }
        socket.on("error", onError);
        if (!connection.accepted) {
          refuse(socket, connection);
          return;
        }
        server.handleUpgrade(incoming, socket, head, (webSocket) => {
          socket.off("error", onError);
          attach(webSocket, connection);
        });
      },
      () => socket.destroy(),
    );
  };
}

function attach(webSocket: WebSocket, connection: Extract<Connection, { accepted: true }>): void {
  const session = connection.open({
    get bufferedAmount() {
      return webSocket.bufferedAmount;
    },
    send: (text) => {
      if (webSocket.readyState === webSocket.OPEN) {
        webSocket.send(text);
      }
    },
    close: (code, reason) => {
      if (code === 1008 && webSocket.bufferedAmount > 0) {
        // A peer that does not read would not read the close frame either.
        webSocket.terminate();
      } else {
        webSocket.close(code, reason);
      }
    },
  });
  webSocket.on("message", (data: RawData) => session.message(data.toString()));
  webSocket.on("close", () => session.closed());
  // ws closes the socket itself after a protocol error, with the code that fits.
  webSocket.on("error", () => {});
}

function refuse(socket: Duplex, { status, body }: Extract<Connection, { accepted: false }>): void {
  const head = [
    `HTTP/1.1 ${status} Refused`,
    "connection: close",
    "content-type: text/plain",
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
