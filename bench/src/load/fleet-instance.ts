/**
 * One instance of a fleet on PostgreSQL, with a server of WebSockets. Its arguments are the URL of the database, that of the Redis or nothing, and
 * into how many channels of Redis inboxes are divided. Tasks:
 *
 * - `{ listen: true }`, answered with `{ port }`;
 * - `{ create: { userIds, everyMs } }`, one notification for each, at random times, or one after the other if that is null; answered with
 *   `{ committed: [title, ms][] }` in their order;
 * - `{ begin: true }`, and `{ end: true }`, answered with what the instance used in between: an {@link InstanceUse}.
 */
import { NotificationService } from "@belfry/core";
import type { Transport } from "@belfry/core/storage";
import { postgresStorage } from "@belfry/storage-postgres";
import { redisTransport } from "@belfry/transport-redis";
import { heldBytes } from "../settings/heap.ts";
import { belfrySockets } from "../settings/socket-servers.ts";

/** What an instance is asked. */
export type FleetTask =
  | { readonly listen: true }
  | { readonly create: { readonly userIds: readonly string[]; readonly everyMs: number | null } }
  | { readonly begin: true }
  | { readonly end: true };

/** Titles of notifications, and when something became of them. */
export type Timed = readonly (readonly [title: string, atMs: number])[];

/** What an instance used between two moments. */
export interface InstanceUse {
  readonly cpuMicros: number;
  /** Signals that came from other instances. */
  readonly signals: number;
  /** Resident memory at the end. */
  readonly rssBytes: number;
  /** What of it something holds, after a collection. */
  readonly heldBytes: number;
}

const [, , database = "", redis = "", shards] = process.argv;
const storage = postgresStorage(database, { poolSize: 5 });
let received = 0;
let own = 0;
let created = 0;
let cpuBefore = process.cpuUsage();
const transport = redis === "" ? storage.transport() : redisTransport(redis, shards === undefined ? {} : { shards: Number(shards) });
const service = new NotificationService({ storage, role: "web", transport: counted(transport) });

/** The transport, with a count of the signals that others sent: all that come, but for those that are published here. */
function counted(transport: Transport): Transport {
  const { publish, start } = transport;
  transport.publish = (signals) => {
    own += signals.length;
    publish.call(transport, signals);
  };
  transport.start = (listener) =>
    start.call(transport, {
      onGap: () => listener.onGap(),
      onSignals(signals) {
        received += signals.length;
        listener.onSignals(signals);
      },
    });
  return transport;
}

async function createOne(userId: string): Promise<Timed[number]> {
  created += 1;
  const title = `${process.pid}-${created}`;
  await service.create({ to: userId, title });
  return [title, performance.timeOrigin + performance.now()];
}

async function create(userIds: readonly string[], everyMs: number | null): Promise<Timed> {
  if (everyMs !== null) {
    return Promise.all(
      userIds.map(async (userId, at) => {
        await new Promise((resolve) => setTimeout(resolve, (at + Math.random()) * everyMs));
        return createOne(userId);
      }),
    );
  }
  const committed: Timed[number][] = [];
  for (const userId of userIds) {
    committed.push(await createOne(userId));
  }
  return committed;
}

function begin(): void {
  received = 0;
  own = 0;
  cpuBefore = process.cpuUsage();
}

function use(): InstanceUse {
  const { user, system } = process.cpuUsage(cpuBefore);
  return { cpuMicros: user + system, signals: received - own, rssBytes: process.memoryUsage.rss(), heldBytes: heldBytes() };
}

async function listen(): Promise<{ readonly port: number }> {
  await service.start();
  const { port } = await belfrySockets(service, "websocket");
  return { port };
}

async function answerTo(task: FleetTask): Promise<object> {
  if ("listen" in task) {
    return listen();
  }
  if ("create" in task) {
    return { committed: await create(task.create.userIds, task.create.everyMs) };
  }
  if ("end" in task) {
    return use();
  }
  begin();
  return {};
}

process.on("message", async (task: FleetTask) => {
  process.send?.(await answerTo(task));
});

// It ends with the process that started it, also if that is killed.
process.once("disconnect", () => process.exit());
