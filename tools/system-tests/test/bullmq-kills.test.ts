import { fork } from "node:child_process";
import { once } from "node:events";
import { NotificationService } from "@belfry/core";
import { hasRedis, startRedis } from "@belfry/redis-launcher";
import { recorder } from "@belfry/testkit/host";
import { bullmqWorker } from "@belfry/worker-bullmq";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { bundledProgram } from "../../../test/bundled-program.ts";
import { DATABASES, emptyDatabase } from "./either-database.ts";
import { storageAt } from "./storage-at.ts";
import { useCleanup } from "./use-cleanup.ts";

const PROGRAM = bundledProgram(new URL("./processes/bullmq-host.ts", import.meta.url));
const WAIT = { timeout: 60_000, interval: 20 };
const silent = { debug() {}, info() {}, warn() {}, error() {} };

describe.skipIf(!hasRedis).each(DATABASES)("processes on %s that run jobs of BullMQ", (kind) => {
  const cleanup = useCleanup();

  async function begin() {
    const url = await emptyDatabase(kind, cleanup);
    const redis = await startRedis();
    cleanup(() => redis.stop());
    const worker = bullmqWorker({ connection: redis.url });
    const channels = [recorder({ name: "ledger", isAddress: () => true })];
    const sender = new NotificationService({ storage: storageAt(url), channels, worker, logger: silent, delivery: { worker: false } });
    cleanup(() => sender.stop());
    await sender.start();

    const start = (more: Readonly<Record<string, string>> = {}) => {
      const env = { PATH: process.env.PATH, DATABASE_URL: url, REDIS_URL: redis.url, ...more };
      const child = fork(PROGRAM, { env });
      const exited = once(child, "exit");
      const reached: string[] = [];
      child.on("message", (recipient: string) => void reached.push(recipient));
      cleanup(async () => {
        child.kill("SIGKILL");
        await exited;
      });
      return { child, exited, reached };
    };

    const people = Array.from({ length: 12 }, (_, index) => `p${index}`);
    const { notification } = await sender.create({ channels: ["ledger"], to: people, message: "Hello" });
    return { redis, sender, start, people, notification };
  }

  type Started = Awaited<ReturnType<typeof begin>>;

  async function killed(start: Started["start"], more: Readonly<Record<string, string>>) {
    const first = start({ ...more, HANGS: "yes" });
    await expect.poll(() => first.reached.length, WAIT).toBe(4);
    first.child.kill("SIGKILL");
    await first.exited;
    return first;
  }

  test("what a killed one held and had not begun is done by another one, long before the lease of what it had begun ends", {
    timeout: 120_000,
  }, async () => {
    const { start, people } = await begin();
    const first = await killed(start, { LEASE_MS: "3600000" });
    const second = start({ LEASE_MS: "3600000" });
    const others = people.filter((one) => !first.reached.includes(one)).sort();
    await expect.poll(() => [...second.reached].sort(), WAIT).toEqual(others);
  });

  test("what a killed one had begun is begun again by another one, and all else is done once", { timeout: 120_000 }, async () => {
    const { sender, start, people, notification } = await begin();
    const lease = { LEASE_MS: "1000" };
    const first = await killed(start, lease);
    const second = start(lease);
    await expect.poll(async () => (await sender.get(notification.id)).status, WAIT).toBe("delivered");
    second.child.disconnect();
    await second.exited;
    expect(second.child.exitCode).toBe(0);
    expect([...second.reached].sort()).toEqual([...people].sort());
    const { deliveries } = await sender.deliveries(notification.id);
    const attempts = deliveries.map(({ recipient, attempts: all }) => [recipient, all.map(({ status }) => status)]);
    expect(attempts).toEqual(people.map((one) => [one, first.reached.includes(one) ? ["unknown", "delivered"] : ["delivered"]]));
  });

  // What a process does without Redis is the same on all databases.
  test.runIf(kind === "SQLite").each([
    ["was never there", "kill", "never"],
    ["has gone", "kill", "gone"],
    ["does not answer", "hang", "gone"],
  ])("a process whose Redis %s exits after its stop", { timeout: 120_000 }, async (_, how, when) => {
    const { redis, start } = await begin();
    const end = () => (how === "kill" ? redis.kill() : hang(redis.url));
    if (when === "never") {
      await end();
    }
    const one = start();
    await expect.poll(() => one.reached.length, WAIT).toBe(12);
    await end();
    one.child.disconnect();
    await one.exited;
    expect(one.child.exitCode).toBe(0);
  });
});

/** Has a server leave every command unanswered, until it is killed. */
async function hang(url: string): Promise<void> {
  const client = new Redis(url);
  const info = await client.info("server");
  await client.quit();
  process.kill(Number(/^process_id:(\d+)/m.exec(info)?.[1]), "SIGSTOP");
}
