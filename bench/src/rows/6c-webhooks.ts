import { createServer } from "node:http";
import { webhook } from "@belfry/channel-webhook";
import type { NotificationService } from "@belfry/core";
import { deliveryV1 } from "@belfry/core/contracts";
import { createHandler } from "@belfry/core/http";
import { fromNodeRequest, writeResponse } from "@belfry/core/node";
import type { FigureGoal, Figures, Row, Scale } from "../harness/row.ts";
import { percentile } from "../harness/statistics.ts";
import { LoadProcess } from "../load/load-process.ts";
import { closeServer, listen, portOf } from "../settings/http-servers.ts";
import { PostgresSetting } from "../settings/postgres.ts";
import { SqliteSetting } from "../settings/sqlite.ts";

const SINGLE = 100;
const BURST = 2_000;
const DEAD = 500;
const ROUNDS = 3;
/** Each URL is an endpoint of its own, and none may take all of the engine. */
const ENDPOINTS = 50;

function channels() {
  return [webhook({ secret: `whsec_${Buffer.alloc(32, 7).toString("base64")}`, allowPrivate: true })];
}

function postTo(url: string, content: string): string {
  const body = JSON.stringify({ type: "webhook", recipients: [url], subject: "Order paid", content });
  return `POST /api/v1/notifications/ HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** Posts over HTTP and counts webhooks, one by one, in bursts, and in bursts behind posts to a receiver that never answers. */
async function measure(service: NotificationService, scale: Scale): Promise<Figures["samples"]> {
  await service.start();
  const handler = createHandler(service, { contracts: [deliveryV1()], auth: () => ({ kind: "client", tenant: "default" }) });
  const server = await listen(
    createServer(async (request, response) => {
      const answer = await handler.handle(fromNodeRequest(request, { url: request.url ?? "/", mountPath: "" }));
      writeResponse(response, answer ?? { status: 404, headers: {}, body: null });
    }),
  );
  const load = new LoadProcess("./webhook-load.ts");
  const { live = 0, silent = 0 } = await load.ask({ listen: {} });
  const port = portOf(server);
  const posts = (count: number) =>
    Array.from({ length: count }, (_, index) => postTo(`http://127.0.0.1:${live}/${index % ENDPOINTS}`, `Order ${index}`));
  const expected = scale.of(BURST);
  const dead = Array.from({ length: scale.of(DEAD) }, (_, index) => postTo(`http://127.0.0.1:${silent}/dead`, `Order ${index}`));
  const burst = async (before: readonly string[]) => {
    const { tookMs = 0 } = await load.ask({ burst: { port, posts: [...before, ...posts(expected)], expected } });
    return (expected * 1_000) / tookMs;
  };
  const samples = { "p50, ms": [] as number[], "p99, ms": [] as number[], "burst, webhooks/s": [] as number[] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    const { waitsMs } = await load.ask<{ waitsMs: number[] }>({ single: { port, posts: posts(SINGLE) } });
    const perSecond = await burst([]);
    if (round > 0) {
      samples["p50, ms"].push(percentile(waitsMs, 0.5));
      samples["p99, ms"].push(percentile(waitsMs, 0.99));
      samples["burst, webhooks/s"].push(perSecond);
    }
  }
  const besideDead = await burst(dead);
  load.stop();
  handler.close();
  closeServer(server);
  return { ...samples, [`burst behind ${DEAD} to a dead endpoint, webhooks/s`]: [besideDead] };
}

const options = () => ({ channels: channels(), delivery: { drainMs: 100 } });

async function onSqlite(scale: Scale): Promise<Figures> {
  const setting = await SqliteSetting.open();
  const service = await setting.belfry("belfry.db", options());
  try {
    return { samples: await measure(service, scale), knobs: setting.knobs("belfry.db") };
  } finally {
    await setting.close();
  }
}

async function onPostgres(scale: Scale): Promise<Figures> {
  const setting = await PostgresSetting.open();
  const { service } = await setting.belfry("belfry", 10, options());
  try {
    return { samples: await measure(service, scale), knobs: await setting.knobs() };
  } finally {
    await setting.close();
  }
}

const goals = (perSecond: number): readonly FigureGoal[] => [
  { figure: "p50, ms", unit: "ms", atMost: 2.5 },
  { figure: "burst, webhooks/s", unit: "/s", atLeast: perSecond },
];

export const row: Row = {
  id: "6c",
  what: `POST to webhook received; a burst of ${BURST}`,
  cases: [
    { name: "SQLite", goals: goals(2_500), figures: onSqlite },
    { name: "PostgreSQL", goals: goals(2_000), figures: onPostgres },
  ],
};
