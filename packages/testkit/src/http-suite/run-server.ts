import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import type { RunningServer } from "./harness.ts";

/**
 * Listens on a free loopback port. It adds a WebSocket of the host at `/host/ws`, which sends every message back.
 * `closeStreams` ends the streams that would keep the server from closing.
 */
export async function runServer(server: Server, closeStreams: () => void): Promise<RunningServer> {
  const hostSockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    if (request.url === "/host/ws") {
      hostSockets.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on("message", (data) => webSocket.send(String(data)));
      });
    }
  });
  // Clients give up idle connections first: one that the server closed just as a request left would fail that test.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      const closed = new Promise((resolve) => void server.close(resolve));
      closeStreams();
      for (const webSocket of hostSockets.clients) {
        webSocket.terminate();
      }
      server.closeIdleConnections();
      await closed;
    },
  };
}
