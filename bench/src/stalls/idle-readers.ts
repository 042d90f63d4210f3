import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expressBelfry } from "@belfry/adapter-express";
import { NotificationService } from "@belfry/core";
import { inboxV1 } from "@belfry/core/contracts";
import { startPostgres } from "@belfry/postgres-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";
import express from "express";
import { SignJWT } from "jose";
import { LoadProcess } from "../load/load-process.ts";
import { heldBytes } from "../settings/heap.ts";

const ITEMS = 300;
const ITEM_BYTES = 250_000;
const READERS = 40;
const WATCHED_MS = 15_000;
const SECRET = "a secret of at least 32 bytes, please";

/** Measures the cost of clients that ask for a long replay and never read it. */
export async function measureIdleReaders(): Promise<readonly string[]> {
  const database = await startPostgres();
  const lines = [
    ...(await replayTo("SQLite", new NotificationService({ storage: sqliteStorage(":memory:") }))),
    ...(await replayTo("PostgreSQL", new NotificationService({ storage: postgresStorage(database.url) }))),
  ];
  await database.stop();
  const missed = `${ITEMS} missed items of ${ITEM_BYTES / 1_000} KB`;
  return [`${READERS} sockets that ask for ${missed} and never read (goals: 100 ms of CPU at a time, 100 MB)`, ...lines];
}

async function replayTo(name: string, service: NotificationService): Promise<readonly string[]> {
  await service.start();
  for (let at = 0; at < ITEMS; at += 1) {
    await service.create({ to: "ann", title: `${at}`, data: { text: "a".repeat(ITEM_BYTES) } });
  }
  const belfry = expressBelfry(service, { contracts: [inboxV1()], auth: { jwt: { secret: SECRET } } });
  const server = createServer(express().use(belfry));
  server.on("upgrade", belfry.upgrade);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const key = new TextEncoder().encode(SECRET);
  const token = await new SignJWT().setProtectedHeader({ alg: "HS256" }).setSubject("ann").setExpirationTime("1h").sign(key);
  const { epoch } = await service.inbox("ann").counts();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/ws/events?token=${token}&since=0&epoch=${epoch}`;
  const load = new LoadProcess("idle-readers-load.ts");
  // The same replay to a client that reads comes first: it shows what any replay leaves to the garbage collector.
  const one = await peakOf(load.ask({ url, readBytes: ITEMS * ITEM_BYTES }));
  const heldBefore = heldBytes();
  const before = process.memoryUsage.rss();
  const turns = new Turns();
  await load.ask({ url, count: READERS });
  const peak = await peakOf(new Promise((resolve) => setTimeout(resolve, WATCHED_MS)));
  const { longestMs, totalMs } = turns.stop();
  const held = heldBytes() - heldBefore;
  load.stop();
  belfry.close();
  server.closeAllConnections();
  server.close();
  await service.stop();
  const longest = longestMs.map((ms) => ms.toFixed(0)).join(", ");
  return [
    `${name}: the five longest turns of the event loop took ${longest} ms of CPU, all of them ${totalMs.toFixed(0)} ms`,
    `${name}: the sockets hold ${megabytes(held)} MB; with what waits for the garbage collector, the process has ${megabytes(peak - before)} MB ` +
      `more at its highest, and ${megabytes(peak - one)} MB more than with one client that reads all of it`,
  ];
}

/** The most memory that this process has until something is done. */
async function peakOf(work: Promise<unknown>): Promise<number> {
  let peak = process.memoryUsage.rss();
  const looking = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  await work;
  clearInterval(looking);
  return peak;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_000_000);
}

/** Measures the processor time of each turn of the event loop: how long everybody else has to wait, whatever else the machine does. */
class Turns {
  readonly #longest: number[] = [];
  readonly #began = process.threadCpuUsage();
  #last = process.threadCpuUsage();
  #isStopped = false;

  constructor() {
    setImmediate(() => this.#turn());
  }

  stop(): { readonly longestMs: readonly number[]; readonly totalMs: number } {
    this.#isStopped = true;
    const { user, system } = process.threadCpuUsage(this.#began);
    return { longestMs: this.#longest, totalMs: (user + system) / 1_000 };
  }

  #turn(): void {
    const { user, system } = process.threadCpuUsage(this.#last);
    this.#last = process.threadCpuUsage();
    this.#longest.push((user + system) / 1_000);
    this.#longest.sort((left, right) => right - left);
    this.#longest.length = Math.min(this.#longest.length, 5);
    if (!this.#isStopped) {
      // A timer, so that an idle loop does not turn without a pause.
      setTimeout(() => setImmediate(() => this.#turn()), 1);
    }
  }
}
