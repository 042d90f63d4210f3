import { setTimeout } from "node:timers/promises";
import { Redis } from "ioredis";
import type pg from "pg";
import { readServerCpu, type ServerCpu, serverCpuBetween } from "../harness/server-cpu.ts";
import { LoadProcess } from "../load/load-process.ts";
import type { WorkerFigures, WorkerTask } from "../load/worker-instance.ts";
import { enqueueInPostgres } from "../settings/due-postgres.ts";
import { numberIn, PostgresSetting } from "../settings/postgres.ts";

/** What runs deliveries. */
export interface Engine {
  readonly name: string;
  /** Where BullMQ's Redis is; empty for Belfry's own worker. */
  readonly redisUrl: string;
}

/** What a group had done and used up at a moment. CPU is in microseconds. */
export interface Reading {
  readonly atMs: number;
  readonly delivered: number;
  readonly processes: number;
  readonly redis: number;
  readonly server: ServerCpu;
}

/** What was done between two readings. */
export interface Done {
  readonly seconds: number;
  readonly delivered: number;
  /** CPU microseconds for each delivery: of the processes, of PostgreSQL without what fills the queue, and of Redis. */
  readonly micros: { readonly processes: number; readonly server: number; readonly redis: number };
}

const LOOK_MS = 20;

/** Processes that deliver, on a database of their own. */
export class WorkerGroup {
  readonly #setting: PostgresSetting;
  readonly #processes: readonly LoadProcess[];
  readonly #pool: pg.Pool;
  readonly #redis: Redis | null;
  readonly #serverPid: number | null;
  /** The session that fills the queue. */
  readonly #ownPid: number;
  #enqueued = 0;

  private constructor(
    setting: PostgresSetting,
    parts: {
      readonly processes: readonly LoadProcess[];
      readonly pool: pg.Pool;
      readonly redis: Redis | null;
      readonly serverPid: number | null;
      readonly ownPid: number;
    },
  ) {
    this.#setting = setting;
    this.#processes = parts.processes;
    this.#pool = parts.pool;
    this.#redis = parts.redis;
    this.#serverPid = parts.serverPid;
    this.#ownPid = parts.ownPid;
  }

  /** Opens a group of `count` processes that have not begun, has `work` done with it, and closes it. */
  static async with<Result>({ redisUrl }: Engine, count: number, work: (group: WorkerGroup) => Promise<Result>): Promise<Result> {
    const setting = await PostgresSetting.open();
    const processes: LoadProcess[] = [];
    const redis = redisUrl === "" ? null : new Redis(redisUrl);
    try {
      await redis?.flushall();
      const { pool } = await setting.belfry("public", 1);
      for (let made = 0; made < count; made += 1) {
        processes.push(new LoadProcess("./worker-instance.ts", [setting.url, redisUrl]));
      }
      const [serverPid, ownPid] = [await setting.serverPid(), await numberIn(pool, "SELECT pg_backend_pid()")];
      const group = new WorkerGroup(setting, { processes, pool, redis, serverPid, ownPid });
      await group.#ask({ open: true });
      return await work(group);
    } finally {
      redis?.disconnect();
      for (const one of processes) {
        one.stop();
      }
      await setting.close();
    }
  }

  async start(): Promise<void> {
    await this.#ask({ start: true });
  }

  /** Adds deliveries. Resolves with the time at which they are due, by this process's clock. */
  async enqueue(count: number, { dueInMs = 0 } = {}): Promise<number> {
    const dueMs = performance.now() + dueInMs;
    await enqueueInPostgres(this.#pool, "public", count, { dueInMs });
    this.#enqueued += count;
    return Math.max(dueMs, performance.now());
  }

  async analyze(): Promise<void> {
    await this.#pool.query("VACUUM ANALYZE");
  }

  /** How many deliveries wait or are under way. */
  async waiting(): Promise<number> {
    return this.#enqueued - (await this.#figures()).delivered;
  }

  /** Waits until everything is delivered, but no longer than that. Resolves with how many are left. */
  async drain(withinMs: number): Promise<number> {
    const untilMs = performance.now() + withinMs;
    for (;;) {
      const left = await this.waiting();
      if (left <= 0 || performance.now() > untilMs) {
        return left;
      }
      await setTimeout(LOOK_MS);
    }
  }

  /** A session that holds a snapshot until it is released. */
  async holdSnapshot(): Promise<() => Promise<void>> {
    const client = await this.#setting.pool(1).connect();
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    await client.query("SELECT count(*) FROM belfry_deliveries");
    return async () => {
      await client.query("COMMIT");
      client.release();
    };
  }

  async read(): Promise<Reading> {
    const server = this.#serverPid === null ? new Map<number, number>() : new Map(readServerCpu(this.#serverPid));
    server.delete(this.#ownPid);
    const { delivered, cpuMicros } = await this.#figures();
    return { atMs: performance.now(), delivered, processes: cpuMicros, redis: await this.#redisMicros(), server };
  }

  async #figures(): Promise<WorkerFigures> {
    const all = await this.#ask({ figures: true });
    const sum = (figure: keyof WorkerFigures) => all.reduce((total, one) => total + one[figure], 0);
    return { delivered: sum("delivered"), cpuMicros: sum("cpuMicros") };
  }

  async #redisMicros(): Promise<number> {
    const info = (await this.#redis?.info("cpu")) ?? "";
    const seconds = [...info.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)].map(([, value]) => Number(value));
    return 1e6 * seconds.reduce((total, one) => total + one, 0);
  }

  #ask(task: WorkerTask): Promise<readonly WorkerFigures[]> {
    return Promise.all(this.#processes.map((one) => one.ask<WorkerFigures>(task)));
  }
}

/** What was done between two readings; the time counts from `sinceMs`. */
export function doneBetween(before: Reading, after: Reading, sinceMs = before.atMs): Done {
  const delivered = after.delivered - before.delivered;
  const each = (micros: number) => micros / Math.max(1, delivered);
  return {
    seconds: (after.atMs - sinceMs) / 1_000,
    delivered,
    micros: {
      processes: each(after.processes - before.processes),
      server: each(serverCpuBetween(before.server, after.server)),
      redis: each(after.redis - before.redis),
    },
  };
}
