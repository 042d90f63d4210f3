/**
 * Opens WebSockets. Tasks: `{ url, count }` opens some that never read, and answers `{ opened }` once the server has upgraded all of
 * them; `{ url, readBytes }` opens one that reads so much, and answers `{ opened: 1 }` once it has.
 */
import { connect, type Socket } from "node:net";

type Task = { readonly url: string } & ({ readonly count: number } | { readonly readBytes: number });

const kept: Socket[] = [];

function handshake(url: URL): Socket {
  const socket = connect({ host: url.hostname, port: Number(url.port) });
  kept.push(socket);
  socket.write(
    `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  return socket;
}

function openIdle(url: URL): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = handshake(url);
    socket.once("error", reject);
    socket.once("data", () => {
      // From here on, nothing is taken from the connection any more.
      socket.pause();
      socket.off("error", reject);
      socket.on("error", () => {});
      resolve();
    });
  });
}

function readAll(url: URL, readBytes: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = handshake(url);
    let bytes = 0;
    socket.once("error", reject);
    socket.on("data", (chunk) => {
      bytes += chunk.length;
      if (bytes >= readBytes) {
        socket.destroy();
        resolve();
      }
    });
    socket.once("close", () => reject(new Error(`The server closed the socket after ${bytes} of ${readBytes} bytes.`)));
  });
}

process.on("message", async (task: Task) => {
  const url = new URL(task.url);
  if ("readBytes" in task) {
    await readAll(url, task.readBytes);
    process.send?.({ opened: 1 });
  } else {
    await Promise.all(Array.from({ length: task.count }, () => openIdle(url)));
    process.send?.({ opened: task.count });
  }
});
