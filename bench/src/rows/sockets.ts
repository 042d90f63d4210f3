import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { inboxV1 } from "@belfry/core/contracts";
import { createHandler } from "@belfry/core/http";
import { upgradeListener } from "@belfry/core/node";
import { SignJWT } from "jose";
import { WebSocketServer } from "ws";
import { LoadProcess } from "../load/load-process.ts";
import type { BenchRow, Comparison } from "../measure.ts";
import { KNOBS, SqliteSetting } from "./sqlite-setting.ts";

const SOCKETS = 1_000;
const BURST = 50;
const SECRET = "a secret of the benchmark, long enough";

export const socketsOne: BenchRow = {
  id: "5a",
  what: `WebSocket, one event to ${SOCKETS} sockets`,
  open: () => compare(1, 1.5),
};
export const socketsBurst: BenchRow = {
  id: "5b",
  what: `WebSocket, a burst of ${BURST} events to ${SOCKETS} sockets`,
  open: () => compare(BURST, 10),
};

/** Sends events to all sockets of a user. The naive side writes to the same database, and then to its own sockets. */
async function compare(together: number, goal: number): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const { service } = await setting.belfry("belfry.db");
  const naiveService = (await setting.belfry("naive.db")).service;
  await service.start();
  const handler = createHandler(service, { contracts: [inboxV1()], auth: { jwt: { secret: SECRET } } });
  const own = await listen((server) => void server.on("upgrade", upgradeListener(handler)));
  const sockets = new WebSocketServer({ noServer: true });
  const naive = await listen((server) => {
    server.on("upgrade", (request, socket, head) => {
      sockets.handleUpgrade(request, socket, head, (webSocket) => sockets.emit("connection", webSocket));
    });
  });
  const load = new LoadProcess("./socket-load.ts");
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: "HS256" })
    .setSubject("ann")
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(SECRET));
  await load.ask({ open: { name: "belfry", url: `${own.url}/api/v1/ws/events?token=${token}`, count: SOCKETS } });
  await load.ask({ open: { name: "naive", url: naive.url, count: SOCKETS } });
  const input = { to: "ann", title: "Order shipped", message: "It is on its way.", data: { order: 7 } };
  const sent = { belfry: 0, naive: 0 };
  const contender = (name: keyof typeof sent, send: () => Promise<unknown>) => ({
    name,
    async run(count: number) {
      for (let round = 0; round < count; round += 1) {
        sent[name] += together * SOCKETS;
        await Promise.all(Array.from({ length: together }, send));
        await load.ask({ expect: { name, messages: sent[name] } });
      }
    },
  });
  return {
    knobs: `${KNOBS}; the sockets are another process's`,
    goals: [{ against: "naive", atLeast: goal }],
    contenders: [
      contender("belfry", () => service.create(input)),
      contender("naive", async () => {
        const { notification } = await naiveService.create(input);
        for (const client of sockets.clients) {
          client.send(JSON.stringify({ type: "notification_new", payload: notification, entity_id: notification.id }));
        }
      }),
    ],
    async check() {
      for (const name of ["belfry", "naive"] as const) {
        const { received } = await load.ask({ expect: { name, messages: sent[name] } });
        if (received !== sent[name]) {
          throw new Error(`${name} sent ${sent[name]} messages, and ${received} arrived.`);
        }
      }
    },
    async close() {
      load.stop();
      handler.close();
      sockets.close();
      own.server.close();
      naive.server.close();
      await setting.close();
    },
  };
}

async function listen(attach: (server: Server) => void): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer();
  attach(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
