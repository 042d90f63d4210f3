import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expressBelfry } from "@belfry/adapter-express";
import { honoBelfry } from "@belfry/adapter-hono";
import { email } from "@belfry/channel-email";
import { NotificationService } from "@belfry/core";
import { deliveryV1, django, hub, inboxV1, pack } from "@belfry/core/contracts";
import { startPostgres } from "@belfry/postgres-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { createAdaptorServer } from "@hono/node-server";
import express from "express";
import { Hono } from "hono";
import { type Answer, LoadProcess } from "../load/load-process.ts";
import { BODY_KINDS, type BodyKind, bodiesFor } from "./bodies.ts";

const KEY = "a-key-of-a-client-for-the-bench";
const AUTH = { key: { "x-api-key": KEY }, token: { authorization: "Token the-token-of-ann-for-the-bench" }, none: {} } as const;
const GOAL_MS = 50;
const GOAL_BYTES = 8 * 1024;
/** Bodies that cost more than this are measured five times, and show the median: garbage of the others is collected now and then. */
const AGAIN_MS = 30;
const RUNS = 5;
/** Checks addresses as it does for hosts, and hands mails to nobody. */
const mail = () => email({ transport: { sendMail: async () => ({}) }, from: "belfry@example.com" });

/** Measures what every hostile body of 1 MiB costs the server's process, and how long the answer is. */
export async function measureBodies(): Promise<readonly string[]> {
  const database = await startPostgres();
  const express = new NotificationService({ storage: sqliteStorage(":memory:"), channels: [mail()] });
  const hono = new NotificationService({ storage: postgresStorage(database.url), channels: [mail()] });
  const [onExpress, onHono] = [await measure(express, serveExpress), await measure(hono, serveHono)];
  await Promise.all([express.stop(), hono.stop()]);
  await database.stop();
  return [
    `Bodies of nearly 1 MiB, each hostile in its own way (goals: ${GOAL_MS} ms of CPU, ${GOAL_BYTES} bytes)`,
    ...table(onExpress, onHono),
    summary("Express, SQLite", onExpress),
    summary("Hono, PostgreSQL", onHono),
  ];
}

interface BodyCost {
  readonly name: string;
  /** How the body is hostile, wherever in it that part stands. */
  readonly hostile: string;
  readonly status: number;
  readonly cpuMs: number;
  readonly bytes: number;
}

/** A line for each kind of body: the most that it cost at any place of any operation, and the longest answer. */
function table(onExpress: readonly BodyCost[], onHono: readonly BodyCost[]): readonly string[] {
  const [express, hono] = [Map.groupBy(onExpress, ({ hostile }) => hostile), Map.groupBy(onHono, ({ hostile }) => hostile)];
  const ms = (costs: readonly BodyCost[]) =>
    Math.max(...costs.map(({ cpuMs }) => cpuMs))
      .toFixed(1)
      .padStart(7);
  const lines = [...express].map(([hostile, costs]) => {
    const others = hono.get(hostile) ?? [];
    const all = [...costs, ...others];
    const bytes = Math.max(...all.map((cost) => cost.bytes));
    const statuses = [...new Set(all.map(({ status }) => status))].sort().join(", ");
    return `${hostile.padEnd(34)}${ms(costs)} ms${ms(others)} ms ${String(bytes).padStart(6)} bytes  ${statuses}`;
  });
  return [`${"".padEnd(34)}${"Express".padStart(10)}${"Hono".padStart(10)}  the longest answer, statuses`, ...lines];
}

function summary(server: string, costs: readonly BodyCost[]): string {
  const over = costs.filter(({ cpuMs, bytes }) => cpuMs > GOAL_MS || bytes > GOAL_BYTES);
  const faults = costs.filter(({ status }) => status === 0 || status >= 500);
  const named = [...over, ...faults].map(({ name, cpuMs, bytes, status }) => `${name}: ${cpuMs.toFixed(1)} ms, ${bytes} bytes, ${status}`);
  const worst = Math.max(...costs.map(({ cpuMs }) => cpuMs)).toFixed(1);
  const counts = `${costs.length} bodies, the worst ${worst} ms, ${over.length} over a goal, ${faults.length} without a proper answer`;
  return [`${server}: ${counts}`, ...named].join("\n  ");
}

type Serve = (service: NotificationService) => { readonly server: ReturnType<typeof createServer>; close(): void };

async function measure(service: NotificationService, serve: Serve): Promise<readonly BodyCost[]> {
  await service.start();
  const { server, close } = serve(service);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const load = new LoadProcess("body-load.ts");
  const costs: BodyCost[] = [];
  for (const kind of Object.keys(BODY_KINDS) as BodyKind[]) {
    for (const name of Object.keys(bodiesFor(kind))) {
      costs.push(await costOf(load, { url, kind, name }));
    }
  }
  load.stop();
  close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return costs;
}

async function costOf(load: LoadProcess, { url, kind, name }: { url: string; kind: BodyKind; name: string }): Promise<BodyCost> {
  const { path, method, auth } = BODY_KINDS[kind];
  const task = { url: `${url}${path}`, kind, name, method, headers: AUTH[auth] };
  let last: Answer = {};
  const once = async () => {
    const before = process.cpuUsage();
    last = await load.ask(task);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };
  const runs = [await once()];
  while ((runs[0] ?? 0) > AGAIN_MS && runs.length < RUNS) {
    runs.push(await once());
  }
  const median = runs.toSorted((left, right) => left - right)[Math.floor(runs.length / 2)] ?? Number.NaN;
  const { status = 0, bytes = 0 } = last;
  return { name: `${kind}, ${name}`, hostile: name.split(": ").at(-1) ?? name, status, cpuMs: median, bytes };
}

function options() {
  return {
    contracts: [inboxV1(), deliveryV1(), hub(), django(), pack({ auth: "open" })],
    auth: {
      jwt: { secret: "a secret of at least 32 bytes, please" },
      tokens: { "the-token-of-ann-for-the-bench": "ann" },
      apiKeys: { [KEY]: "acme" },
    },
  };
}

function serveExpress(service: NotificationService) {
  const belfry = expressBelfry(service, options());
  const app = express();
  app.use(belfry);
  return { server: createServer(app), close: () => belfry.close() };
}

function serveHono(service: NotificationService) {
  const belfry = honoBelfry(service, options());
  const app = new Hono();
  app.route("/", belfry);
  return { server: createAdaptorServer({ fetch: app.fetch }) as ReturnType<typeof createServer>, close: () => belfry.close() };
}
