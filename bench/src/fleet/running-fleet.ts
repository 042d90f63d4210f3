import { setTimeout } from "node:timers/promises";
import type { RedisServer } from "@belfry/redis-launcher";
import { Redis } from "ioredis";
import { readServerCpu, type ServerCpu, serverCpuBetween } from "../harness/server-cpu.ts";
import type { FleetTask, InstanceUse, Timed } from "../load/fleet-instance.ts";
import type { SocketsTask } from "../load/fleet-sockets.ts";
import { LoadProcess } from "../load/load-process.ts";
import { PostgresSetting } from "../settings/postgres.ts";

/** What instances are connected by. */
export interface Connection {
  readonly name: string;
  /** Null for PostgreSQL's own notifications. */
  readonly redis: RedisServer | null;
  /** Into how many channels of Redis the inboxes are divided. @default the transport's own */
  readonly shards?: number;
}

/** What is created in a fleet. */
export interface FleetLoad {
  /** Each notification is for one of them at random. */
  readonly userIds: readonly string[];
  /** How many a second, over all instances that create. 0 for none. */
  readonly perSecond: number;
  readonly seconds: number;
  /** How many of the instances create. @default all */
  readonly writers?: number;
}

/** What one instance did in a run, and the CPU that it used. */
export interface InstanceRun extends InstanceUse {
  readonly sockets: number;
  readonly created: number;
  /** Frames of what the instance itself created. */
  readonly ownFrames: number;
  /** Frames of what other instances created. */
  readonly otherFrames: number;
}

/** What a load came to. */
export interface FleetRun {
  readonly seconds: number;
  readonly instances: readonly InstanceRun[];
  /** CPU of all processes of PostgreSQL; null if they are not on this machine. */
  readonly databaseMicros: number | null;
  /** CPU of Redis; 0 without one. */
  readonly redisMicros: number;
  /** How long it was from each commit to its frame, in milliseconds. */
  readonly waitedMs: readonly number[];
}

/** Creates of each instance before anything is measured: code that runs for the first time is slow. */
const WARM_UP = 500;

/** A fleet of processes on a fresh database, and a process with the sockets of its users. */
export class RunningFleet {
  readonly #setting: PostgresSetting;
  readonly #databasePid: number | null;
  readonly #redisPid: number | null;
  readonly #instances: readonly LoadProcess[];
  readonly #clients = new LoadProcess("./fleet-sockets.ts");
  readonly #ports: number[] = [];
  /** The instance that each connected user has a socket at. */
  readonly #instanceOf = new Map<string, number>();

  private constructor(setting: PostgresSetting, pids: { readonly database: number | null; readonly redis: number | null }, args: Args) {
    this.#setting = setting;
    this.#databasePid = pids.database;
    this.#redisPid = pids.redis;
    this.#instances = Array.from({ length: args.count }, () => new LoadProcess("./fleet-instance.ts", args.ofEach(setting.url)));
  }

  static async open(count: number, { redis, shards }: Connection): Promise<RunningFleet> {
    const setting = await PostgresSetting.open();
    // Makes the tables.
    await setting.belfry("public", 1);
    const pids = { database: await setting.serverPid(), redis: redis && (await pidOf(redis)) };
    const ofEach = (url: string) => [url, redis?.url ?? "", ...(shards === undefined ? [] : [String(shards)])];
    const fleet = new RunningFleet(setting, pids, { count, ofEach });
    await fleet.#start();
    return fleet;
  }

  /** Opens a socket for each user, at the instances in turn. */
  async connect(userIds: readonly string[]): Promise<void> {
    await this.#clients.ask({ open: { ports: this.#ports, userIds } } satisfies SocketsTask);
    for (const [at, userId] of userIds.entries()) {
      this.#instanceOf.set(userId, at % this.#instances.length);
    }
  }

  /** Has every instance create, one after the other, so that its code is compiled and a busy machine keeps up. */
  async warmUp(userIds: readonly string[]): Promise<void> {
    const created = await this.#createAt(this.#instances, { userIds, each: WARM_UP, everyMs: null });
    await this.#arrived(created.filter(({ userId }) => this.#instanceOf.has(userId)).length);
  }

  /** Creates, waits for all frames, and tells what that took. */
  async measure(load: FleetLoad): Promise<FleetRun> {
    await this.#askAll({ begin: true });
    const [database, redis, startedMs] = [this.#read(this.#databasePid), this.#read(this.#redisPid), performance.now()];
    const created = await this.#create(load);
    const arrived = await this.#arrived(created.filter(({ userId }) => this.#instanceOf.has(userId)).length);
    const seconds = (performance.now() - startedMs) / 1_000;
    const [databaseMicros, redisMicros] = [between(database, this.#read(this.#databasePid)), between(redis, this.#read(this.#redisPid))];
    const uses = await this.#askAll<InstanceUse>({ end: true });
    return {
      seconds,
      instances: uses.map((use, instance) => ({ ...use, ...this.#doneBy(instance, created) })),
      databaseMicros,
      redisMicros: redisMicros ?? 0,
      waitedMs: created.filter(({ userId }) => this.#instanceOf.has(userId)).map((one) => waitOf(one, arrived)),
    };
  }

  async close(): Promise<void> {
    this.#clients.stop();
    for (const one of this.#instances) {
      one.stop();
    }
    await this.#setting.close();
  }

  async #start(): Promise<void> {
    try {
      for (const { port } of await this.#askAll<{ readonly port: number }>({ listen: true })) {
        this.#ports.push(port);
      }
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #create({ userIds, perSecond, seconds, writers = this.#instances.length }: FleetLoad): Promise<readonly Created[]> {
    if (perSecond === 0) {
      await setTimeout(1_000 * seconds);
      return [];
    }
    const each = Math.ceil((perSecond * seconds) / writers);
    return this.#createAt(this.#instances.slice(0, writers), { userIds, each, everyMs: (1_000 * seconds) / each });
  }

  async #createAt(
    writers: readonly LoadProcess[],
    { userIds, each, everyMs }: { readonly userIds: readonly string[]; readonly each: number; readonly everyMs: number | null },
  ): Promise<readonly Created[]> {
    const answers = await Promise.all(
      writers.map(async (one, by) => {
        const chosen = Array.from({ length: each }, () => userIds[Math.floor(Math.random() * userIds.length)] ?? "");
        const task = { create: { userIds: chosen, everyMs } } satisfies FleetTask;
        const { committed } = await one.ask<{ readonly committed: Timed }>(task);
        return committed.map(([title, committedMs], at) => ({ by, userId: chosen[at] ?? "", title, committedMs }));
      }),
    );
    return answers.flat();
  }

  /** When each frame came, by the title of its notification. */
  async #arrived(count: number): Promise<ReadonlyMap<string, number>> {
    const { arrived } = await this.#clients.ask<{ readonly arrived: Timed }>({ expect: count } satisfies SocketsTask);
    return new Map(arrived);
  }

  #doneBy(instance: number, created: readonly Created[]): Omit<InstanceRun, keyof InstanceUse> {
    const here = created.filter(({ userId }) => this.#instanceOf.get(userId) === instance);
    const own = here.filter(({ by }) => by === instance).length;
    return {
      sockets: [...this.#instanceOf.values()].filter((at) => at === instance).length,
      created: created.filter(({ by }) => by === instance).length,
      ownFrames: own,
      otherFrames: here.length - own,
    };
  }

  #askAll<Reply>(task: FleetTask): Promise<readonly Reply[]> {
    return Promise.all(this.#instances.map((one) => one.ask<Reply>(task)));
  }

  #read(pid: number | null): ServerCpu | null {
    return pid === null ? null : readServerCpu(pid);
  }
}

interface Args {
  readonly count: number;
  ofEach(url: string): readonly string[];
}

interface Created {
  /** The number of the instance that created it. */
  readonly by: number;
  readonly userId: string;
  readonly title: string;
  readonly committedMs: number;
}

function between(before: ServerCpu | null, after: ServerCpu | null): number | null {
  return before === null || after === null ? null : serverCpuBetween(before, after);
}

/** How long it was from the commit to the frame; a frame that came before the commit was known took no time. @throws Error if it is missing */
function waitOf({ title, committedMs }: Created, arrived: ReadonlyMap<string, number>): number {
  const frameMs = arrived.get(title);
  if (frameMs === undefined) {
    throw new Error(`The frame of ${title} did not come.`);
  }
  return Math.max(0, frameMs - committedMs);
}

/** The process of a Redis. */
async function pidOf({ url }: RedisServer): Promise<number> {
  const client = new Redis(url);
  try {
    return Number(/process_id:(\d+)/.exec(await client.info("server"))?.[1]);
  } finally {
    client.disconnect();
  }
}
