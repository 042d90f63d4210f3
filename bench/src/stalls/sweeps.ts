import type { NotificationServiceOptions } from "@belfry/core";
import { NotificationService } from "@belfry/core";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { fillPostgres } from "../settings/fill-postgres.ts";
import { fillSqlite } from "../settings/fill-sqlite.ts";
import { PostgresSetting } from "../settings/postgres.ts";
import { SqliteSetting } from "../settings/sqlite.ts";
import { usersOf } from "../settings/users.ts";

type Storage = NotificationServiceOptions["storage"];

const ITEMS = 1_000_000;
const ITEMS_PER_USER = 50;
const HOT_SHARE = 0.02;
const GOAL_MS = 10;

/** Measures how long each step of a sweep, and of deleting a user with a large inbox, takes: no other write goes on in it. */
export async function measureSweeps(scale: number): Promise<readonly string[]> {
  const items = Math.round(ITEMS * scale);
  const filling = { items, users: usersOf(Math.round(items / ITEMS_PER_USER)), hotShare: HOT_SHARE };
  const sqlite = await SqliteSetting.open();
  await sqlite.tables("belfry.db");
  const raw = sqlite.raw("belfry.db");
  fillSqlite(raw, filling);
  raw.close();
  const lines = await sweepSteps("SQLite", sqliteStorage(sqlite.path("belfry.db")), filling.users);
  await sqlite.close();
  const postgres = await PostgresSetting.open();
  const { pool } = await postgres.belfry("belfry", 2);
  await fillPostgres(pool, "belfry", filling);
  const more = await sweepSteps("PostgreSQL", postgresStorage(postgres.url, { schema: "belfry" }), filling.users);
  await postgres.close();
  return [`Steps of sweeps over ${items.toLocaleString("en")} items (goal: ${GOAL_MS} ms a step)`, ...lines, ...more];
}

async function sweepSteps(name: string, storage: Storage, users: readonly string[]): Promise<readonly string[]> {
  const steps = new Steps();
  const service = new NotificationService({ storage: steps.watch(storage), retention: { readMs: 1, types: { mention: { unreadMs: 1 } } } });
  const { items } = await service.sweep();
  const swept = steps.take();
  const { removed } = await service.deleteUser(users[0] as string);
  const erased = steps.take();
  await service.stop();
  return [
    `${name}: a sweep that removed ${items.toLocaleString("en")} items: ${swept}`,
    `${name}: deleting a user, ${removed.toLocaleString("en")} rows: ${erased}`,
  ];
}

/** The times of calls of a storage's `sweep` and `erase`. Each call is one transaction. */
class Steps {
  #times: { readonly wallMs: number; readonly cpuMs: number }[] = [];

  watch(storage: Storage): Storage {
    const inbox = new Proxy(storage.inbox, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        const isStep = name === "sweep" || name === "erase";
        return isStep && typeof member === "function" ? (...args: unknown[]) => this.#timed(() => member.apply(target, args)) : member;
      },
    });
    return new Proxy(storage, { get: (target, name) => (name === "inbox" ? inbox : bound(target, name)) });
  }

  /** What the calls since the last one took. */
  take(): string {
    const times = this.#times;
    this.#times = [];
    const at = (of: "wallMs" | "cpuMs", share: number) => {
      const sorted = times.map((one) => one[of]).sort((left, right) => left - right);
      return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1);
    };
    const shares = (of: "wallMs" | "cpuMs") => `${at(of, 0.5)} / ${at(of, 0.99)} / ${at(of, 1)} ms`;
    return `${times.length} steps, p50 / p99 / longest ${shares("wallMs")}, CPU of this process ${shares("cpuMs")}`;
  }

  async #timed(step: () => unknown): Promise<unknown> {
    const [began, cpu] = [performance.now(), process.threadCpuUsage()];
    const result = await step();
    const { user, system } = process.threadCpuUsage(cpu);
    this.#times.push({ wallMs: performance.now() - began, cpuMs: (user + system) / 1_000 });
    return result;
  }
}

function bound(target: object, name: string | symbol): unknown {
  const member: unknown = Reflect.get(target, name, target);
  return typeof member === "function" ? member.bind(target) : member;
}
