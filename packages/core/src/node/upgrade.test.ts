import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../foundation/clock.ts";
import type { Contract, SocketContext } from "../http/contract.ts";
import { createHandler, type HttpHandler } from "../http/create-handler.ts";
import type { ContractService } from "../http/route.ts";
import { upgradeListener } from "./upgrade.ts";

const service = { defaultTenant: { tenantId: "default" } } as ContractService;

/** A contract whose socket does what it is told: `echo`, `burst` (1,000 numbers) or `bye` (a text, then closing). */
const contract: Contract = {
  name: "echo",
  title: "Echo",
  basePath: "/echo",
  credential: "open",
  principal: "client",
  routes: [],
  sockets: [{ path: "/echo/ws", summary: "echo", open: openEcho }],
  renderFailure: () => ({ status: 500 }),
};

function openEcho({ stream }: SocketContext) {
  return {
    message(text: string) {
      if (text === "burst") {
        for (let number = 0; number < 1_000; number += 1) {
          stream.send(String(number));
        }
      } else if (text === "bye") {
        stream.send("last words");
        stream.close(4000, "bye");
      } else {
        stream.send(text);
      }
    },
    closed() {},
  };
}

const servers: Server[] = [];
const handlers: HttpHandler[] = [];

const errors: unknown[] = [];
const logger = { error: (details: unknown) => void errors.push(details), warn() {}, info() {}, debug() {} };

async function listen(attach: (server: Server, handler: HttpHandler) => void, clock?: Clock): Promise<string> {
  const handler = createHandler(service, { contracts: [contract], logger, ...(clock && { clock }) });
  const server = createServer((_request, response) => void response.end("plain"));
  attach(server, handler);
  servers.push(server);
  handlers.push(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  errors.length = 0;
  for (const handler of handlers.splice(0)) {
    handler.close();
  }
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => void server.close(resolve))));
});

const belfryAlone = (basePath = "") => listen((server, handler) => void server.on("upgrade", upgradeListener(handler, basePath)));

/** The end of a handshake: `open`, or the status it was refused with. */
function handshake(url: string): Promise<{ outcome: "open" | number; client: WebSocket }> {
  const client = new WebSocket(`ws://${url}`);
  return new Promise((resolve, reject) => {
    client.on("open", () => resolve({ outcome: "open", client }));
    client.on("unexpected-response", (_request, response) => {
      response.resume();
      resolve({ outcome: response.statusCode ?? 0, client });
    });
    client.on("error", reject);
  });
}

async function outcome(url: string): Promise<"open" | number> {
  const { outcome: result, client } = await handshake(url);
  client.on("error", () => {});
  client.terminate();
  return result;
}

function messages(client: WebSocket, count: number): Promise<string[]> {
  const read: string[] = [];
  return new Promise((resolve) => {
    client.on("message", (data) => {
      read.push(String(data));
      if (read.length === count) {
        resolve(read);
      }
    });
  });
}

/** Speaks to the server without a WebSocket library. */
async function raw(address: string, text: string): Promise<Socket> {
  const [host, port] = address.split(":");
  const socket = connect(Number(port), host);
  socket.on("error", () => {});
  await new Promise<void>((resolve) => void socket.once("connect", resolve));
  socket.write(text);
  return socket;
}

const HANDSHAKE_HEAD = "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";

describe("upgradeListener", () => {
  test("beside other listeners, each has the sockets of its own paths", async () => {
    const address = await listen((server, handler) => {
      const host = new WebSocketServer({ noServer: true });
      server.on("upgrade", (request, socket, head) => {
        if (request.url === "/host/ws") {
          host.handleUpgrade(request, socket, head, (webSocket) => webSocket.on("message", () => webSocket.send("host")));
        }
      });
      server.on("upgrade", upgradeListener(handler));
    });
    const { client } = await handshake(`${address}/host/ws`);
    const read = messages(client, 1);
    client.send("who is there");
    expect(await read).toEqual(["host"]);
    client.terminate();
    expect(await outcome(`${address}/echo/ws`)).toBe("open");
  });

  test("the only listener answers other paths with 404", async () => {
    const address = await belfryAlone();
    expect(await outcome(`${address}/other`)).toBe(404);
    expect(await outcome(`${address}/echo/ws/more`)).toBe(404);
  });

  test("given to a server twice, it logs the mistake and the process goes on", async () => {
    const address = await listen((server, handler) => {
      server.on("upgrade", upgradeListener(handler));
      server.on("upgrade", upgradeListener(handler));
    });
    const { client } = await handshake(`${address}/echo/ws`);
    await new Promise((resolve) => void client.on("close", resolve));
    expect(errors).toMatchObject([{ error: { message: expect.stringContaining("more than once") } }]);
  });

  test("with a prefix, only paths below it are Belfry's, even percent-encoded ones", async () => {
    const address = await belfryAlone("/deep/ünï");
    expect(await outcome(`${address}/deep/%C3%BCn%C3%AF/echo/ws?a=b`)).toBe("open");
    expect(await outcome(`${address}/echo/ws`)).toBe(404);
    expect(await outcome(`${address}/deep/%C3%BCn%C3%AFecho/ws`)).toBe(404);
  });

  test("a broken handshake gets 400, and another method 405", async () => {
    const address = await belfryAlone();
    for (const [line, status] of [
      ["GET /echo/ws HTTP/1.1", "400"],
      ["POST /echo/ws HTTP/1.1", "405"],
    ]) {
      const socket = await raw(address, `${line}\r\n${HANDSHAKE_HEAD}\r\n`);
      const answer = await new Promise((resolve) => void socket.once("data", (data) => resolve(String(data))));
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      socket.destroy();
    }
  });

  test("sockets that break at any point leave the server as it was", async () => {
    const address = await belfryAlone();
    const key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (const text of [
      `GET /echo/ws HTTP/1.1\r\n${HANDSHAKE_HEAD}`,
      `GET /echo/ws HTTP/1.1\r\n${HANDSHAKE_HEAD}${key}\r\n`,
      `GET /other HTTP/1.1\r\n${HANDSHAKE_HEAD}${key}\r\n`,
      `GET /echo/ws HTTP/1.1\r\n${HANDSHAKE_HEAD}${key}\r\n\u0081\u00ff\u00ff`,
    ]) {
      (await raw(address, text)).resetAndDestroy();
      const open = await raw(address, text);
      open.write("garbage that is no frame");
      open.resetAndDestroy();
    }
    expect(await outcome(`${address}/echo/ws`)).toBe("open");
  });

  test("messages of 64 KiB in 16 fragments are taken, one byte or one fragment more is not", async () => {
    const address = await belfryAlone();
    const { client } = await handshake(`${address}/echo/ws`);
    const whole = messages(client, 1);
    for (let sent = 1; sent <= 16; sent += 1) {
      client.send("x".repeat(4_096), { fin: sent === 16 });
    }
    expect(await whole).toEqual(["x".repeat(65_536)]);
    client.send("x".repeat(65_537));
    expect(await new Promise((resolve) => void client.on("close", resolve))).toBe(1009);

    const { client: fragmenting } = await handshake(`${address}/echo/ws`);
    for (let sent = 1; sent <= 17; sent += 1) {
      fragmenting.send("x", { fin: false });
    }
    expect(await new Promise((resolve) => void fragmenting.on("close", resolve))).toBe(1008);
  });

  test("a silent client is pinged, and its pong keeps it", async () => {
    const tasks: (() => void)[] = [];
    let nowMs = 0;
    const after = (_: number, task: () => void) => {
      tasks.push(task);
      return () => {};
    };
    const clock: Clock = { now: () => nowMs, after };
    const { client } = await handshake(
      `${await listen((server, handler) => void server.on("upgrade", upgradeListener(handler)), clock)}/echo/ws`,
    );
    for (let round = 1; round <= 3; round += 1) {
      const pinged = new Promise((resolve) => void client.once("ping", resolve));
      nowMs += 15_000;
      for (const task of tasks.splice(0)) {
        task();
      }
      await pinged;
      // The pong was sent before this message.
      const read = messages(client, 1);
      client.send("still here");
      expect(await read).toEqual(["still here"]);
    }
    client.terminate();
  });

  test("a burst arrives whole and in order, between answered pings", async () => {
    const { client } = await handshake(`${await belfryAlone()}/echo/ws`);
    const pongs: string[] = [];
    client.on("pong", (data) => void pongs.push(String(data)));
    const read = messages(client, 2_000);
    client.ping("1");
    client.send("burst");
    client.ping("2");
    client.send("burst");
    client.ping("3");
    const numbers = Array.from({ length: 1_000 }, (_, number) => String(number));
    expect(await read).toEqual([...numbers, ...numbers]);
    await expect.poll(() => pongs).toEqual(["1", "2", "3"]);
    client.terminate();
  });

  test("texts sent before a close arrive before the close frame", async () => {
    const { client } = await handshake(`${await belfryAlone()}/echo/ws`);
    const read = messages(client, 1);
    const closed = new Promise((resolve) => void client.on("close", (code, reason) => resolve([code, String(reason)])));
    client.send("bye");
    expect([await read, await closed]).toEqual([["last words"], [4000, "bye"]]);
  });

  test("nothing follows the close frame, not even the answer to a message that came with the client's own", async () => {
    const address = await belfryAlone();
    const socket = await raw(
      address,
      `GET /echo/ws HTTP/1.1\r\n${HANDSHAKE_HEAD}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    let read = Buffer.alloc(0);
    socket.on("data", (part: Buffer) => {
      read = Buffer.concat([read, part]);
    });
    const ended = new Promise((resolve) => void socket.once("end", resolve));
    const message = masked(0x81, "a");
    socket.write(message);
    const echo = "\u0081\u0001a";
    await expect.poll(() => read.toString("latin1").endsWith(echo)).toBe(true);
    socket.write(Buffer.concat([message, masked(0x88, "\u0003\u00e8")]));
    await ended;
    expect(read.toString("latin1").endsWith(`${echo}\u0088\u0002\u0003\u00e8`)).toBe(true);
    socket.destroy();
  });

  test("what a reader has left unread holds later texts back until it has taken it", async () => {
    const { promise: opened, resolve: open } = Promise.withResolvers<SocketContext["stream"]>();
    const reading: Contract = {
      ...contract,
      sockets: [
        {
          path: "/echo/ws",
          summary: "echo",
          open({ stream }) {
            open(stream);
            return { message() {}, closed() {} };
          },
        },
      ],
    };
    const address = await listen((server) => {
      const handler = createHandler(service, { contracts: [reading], logger });
      handlers.push(handler);
      server.on("upgrade", upgradeListener(handler));
    });
    const { client } = await handshake(`${address}/echo/ws`);
    const stream = await opened;
    client.pause();
    let read = 0;
    client.on("message", () => {
      read += 1;
    });
    let sent = 0;
    // The system takes some megabytes for a reader that reads nothing.
    await expect
      .poll(async () => {
        stream.send("a".repeat(1_000_000));
        sent += 1;
        await new Promise((resolve) => setImmediate(resolve));
        return stream.writable() !== undefined;
      })
      .toBe(true);
    client.ping();
    client.resume();
    await expect.poll(() => [stream.writable(), read]).toEqual([undefined, sent]);
    client.terminate();
  });
});

/** A short frame of a client, with a mask of zeros. */
function masked(head: number, bytes: string): Buffer {
  return Buffer.from(String.fromCharCode(head, 0x80 | bytes.length, 0, 0, 0, 0) + bytes, "latin1");
}
