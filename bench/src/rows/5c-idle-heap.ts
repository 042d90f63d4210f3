import type { Figures, Row } from "../harness/row.ts";
import { LoadProcess } from "../load/load-process.ts";
import { usedHeap } from "../settings/heap.ts";
import { belfrySockets, type OpenServer, plainSockets, plainStreams } from "../settings/socket-servers.ts";
import { SqliteSetting } from "../settings/sqlite.ts";

const CONNECTIONS = 1_000;
const ROUNDS = 3;

/** Bytes of heap for each connection that is open and does nothing. */
async function heapEach(load: LoadProcess, { port, request, kind }: OpenServer): Promise<number> {
  const before = await usedHeap();
  await load.ask({ open: { name: "crowd", port, request, kind, count: CONNECTIONS } });
  const bytes = ((await usedHeap()) - before) / CONNECTIONS;
  await load.ask({ close: { name: "crowd" } });
  await usedHeap();
  return bytes;
}

async function figures(): Promise<Figures> {
  const setting = await SqliteSetting.open();
  const load = new LoadProcess("./socket-load.ts");
  const service = await setting.belfry("belfry.db");
  await service.start();
  // An inbox with something in it: an empty one would cost less.
  await service.create({ to: "ann", title: "first" });
  const servers = {
    "Belfry socket": await belfrySockets(service, "websocket"),
    "plain ws": await plainSockets(),
    "Belfry stream": await belfrySockets(service, "stream"),
    "node:http": await plainStreams(),
  };
  const bytes: Record<string, number[]> = {};
  // The first round warms up, and does not count.
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, server] of Object.entries(servers)) {
      const each = await heapEach(load, server);
      bytes[`${name}, bytes`] = [...(bytes[`${name}, bytes`] ?? []), ...(round === 0 ? [] : [each])];
    }
  }
  const over = (name: string, other: string) =>
    (bytes[`${name}, bytes`] ?? []).map((one, round) => one / (bytes[`${other}, bytes`]?.[round] ?? 0));
  const samples = {
    ...bytes,
    "socket ÷ plain ws": over("Belfry socket", "plain ws"),
    "stream ÷ node:http": over("Belfry stream", "node:http"),
  };
  load.stop();
  for (const server of Object.values(servers)) {
    server.close();
  }
  await setting.close();
  return { samples, knobs: `${CONNECTIONS} idle connections, heap after a full collection` };
}

export const row: Row = {
  id: "5c",
  what: "Heap of an idle socket, and of an idle stream",
  cases: [
    {
      name: "SQLite",
      goals: [
        { figure: "socket ÷ plain ws", atMost: 1.15 },
        { figure: "stream ÷ node:http", atMost: 1.2 },
      ],
      figures,
    },
  ],
};
