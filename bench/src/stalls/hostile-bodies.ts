import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expressBelfry } from "@belfry/adapter-express";
import { honoBelfry } from "@belfry/adapter-hono";
import { type Channel, NotificationService } from "@belfry/core";
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
const SHOWN = 15;
const email: Channel = {
  ...{ name: "email", retryDelaysMs: [], timeoutMs: 1_000 },
  invalidRecipient: (to) => (/^[^@\s]+@[^@\s]+$/.test(to) ? null : "is no address"),
  deliver: async () => ({ status: "sent", provider: "none" }),
};

/** Measures what every hostile body of 1 MiB costs the server's process, and how long the answer is. */
export async function measureBodies(): Promise<readonly string[]> {
  const database = await startPostgres();
  const express = new NotificationService({ storage: sqliteStorage(":memory:"), channels: [email] });
  const hono = new NotificationService({ storage: postgresStorage(database.url), channels: [email] });
  const lines = [
    ...report("Express, SQLite", await measure(express, serveExpress)),
    ...report("Hono, PostgreSQL", await measure(hono, serveHono)),
  ];
  await Promise.all([express.stop(), hono.stop()]);
  await database.stop();
  return [`Bodies of nearly 1 MiB, each hostile in its own way (goals: ${GOAL_MS} ms of CPU, ${GOAL_BYTES} bytes)`, ...lines];
}

interface BodyCost {
  readonly name: string;
  readonly status: number;
  readonly cpuMs: number;
  readonly sentBytes: number;
  readonly bytes: number;
}

function report(server: string, costs: readonly BodyCost[]): readonly string[] {
  const over = costs.filter(({ cpuMs, bytes }) => cpuMs > GOAL_MS || bytes > GOAL_BYTES);
  const faults = costs.filter(({ status }) => status === 0 || status >= 500);
  const most = Math.max(...costs.map(({ bytes }) => bytes));
  const worst = costs.toSorted((left, right) => right.cpuMs - left.cpuMs).slice(0, SHOWN);
  return [
    `${server}: ${costs.length} bodies, ${over.length} over a goal, ${faults.length} without a proper answer; the longest answer has ${most} bytes`,
    ...[...worst, ...faults].map(
      ({ name, status, cpuMs, bytes }) => `  ${cpuMs.toFixed(1).padStart(6)} ms  ${status}  ${bytes} bytes  ${name}`,
    ),
  ];
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
  const { status = 0, sentBytes = 0, bytes = 0 } = last;
  return { name: `${kind}, ${name}`, status, cpuMs: median, sentBytes, bytes };
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
