import { execFile } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import type { RedisServer } from "./start-redis.ts";

const READY_MS = 20_000;
const LOOK_MS = 50;

const run = promisify(execFile);

/** Sends a command to a server, and returns its answer as redis-cli prints it. */
export async function ask({ port }: Pick<RedisServer, "port">, ...command: readonly string[]): Promise<string> {
  const { stdout } = await run("redis-cli", ["-p", String(port), ...command]);
  return stdout;
}

/** Waits until something holds. @param what completes "It took too long until …" */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const untilMs = Date.now() + READY_MS;
  while (!(await holds())) {
    if (Date.now() > untilMs) {
      throw new Error(`It took too long until ${what}.`);
    }
    await setTimeout(LOOK_MS);
  }
}
