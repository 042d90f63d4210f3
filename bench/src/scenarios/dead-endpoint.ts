import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { webhook } from "@belfry/channel-webhook";
import { type Channel, NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import type { Scenario } from "./scenario.ts";

const WEBHOOKS = 10_000;
const DEAD = 500;

/** Measures healthy webhooks alone, and beside an endpoint that accepts connections and never answers. */
export const deadEndpoint: Scenario = {
  id: "dead-endpoint",
  what: `${WEBHOOKS} webhooks to a fast receiver, alone and beside ${DEAD} to one that never answers`,
  async run() {
    const alone = await deliver(0);
    const beside = await deliver(DEAD);
    return {
      "alone, p50 / p99 from creation to arrival": `${alone.p50} ms / ${alone.p99} ms`,
      "beside the dead one, p50 / p99": `${beside.p50} ms / ${beside.p99} ms`,
      "ratio of p99": (beside.p99 / alone.p99).toFixed(2),
      arrived: `${alone.arrived} and ${beside.arrived} of ${WEBHOOKS}`,
    };
  },
};

async function deliver(dead: number): Promise<{ p50: number; p99: number; arrived: number }> {
  const arrivals = new Map<string, number>();
  const fast = await listen(
    createServer((request, response) => {
      arrivals.set(String(request.headers["webhook-id"]), performance.now());
      request.resume();
      response.end();
    }),
  );
  const silent = await listen(createServer(() => {}));
  const channel: Channel = webhook({ secret: `whsec_${Buffer.alloc(32, 7).toString("base64")}`, allowPrivate: true });
  const service = new NotificationService({ storage: sqliteStorage(":memory:"), channels: [channel], delivery: { drainMs: 100 } });
  const createdMs = performance.now();
  if (dead > 0) {
    await Promise.all(
      Array.from({ length: dead }, (_, index) => service.send({ channel: "webhook", to: `${silent.url}/dead`, content: `${index}` })),
    );
  }
  await Promise.all(
    Array.from({ length: WEBHOOKS }, (_, index) =>
      service.send({ channel: "webhook", to: `${fast.url}/${index % 10}`, content: `${index}` }),
    ),
  );
  while (arrivals.size < WEBHOOKS) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const waits = [...arrivals.values()].map((arrivedMs) => arrivedMs - createdMs).sort((a, b) => a - b);
  await service.stop();
  fast.server.close();
  silent.server.closeAllConnections();
  silent.server.close();
  const at = (share: number) => Math.round(waits[Math.floor(waits.length * share)] ?? Number.NaN);
  return { p50: at(0.5), p99: at(0.99), arrived: arrivals.size };
}

async function listen(server: Server): Promise<{ readonly server: Server; readonly url: string }> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
