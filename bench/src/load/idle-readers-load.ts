/** Opens WebSockets and never reads from them. Tasks: `{ url, count }`; answers `{ opened }` once the server has upgraded all of them. */
import { connect, type Socket } from "node:net";

interface Task {
  readonly url: string;
  readonly count: number;
}

const kept: Socket[] = [];

function open(url: URL): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port) });
    kept.push(socket);
    socket.once("error", reject);
    socket.write(
      `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    socket.once("data", () => {
      // From here on, nothing is taken from the connection any more.
      socket.pause();
      socket.off("error", reject);
      socket.on("error", () => {});
      resolve();
    });
  });
}

process.on("message", async ({ url, count }: Task) => {
  await Promise.all(Array.from({ length: count }, () => open(new URL(url))));
  process.send?.({ opened: count });
});
