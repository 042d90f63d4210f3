import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { hasRedis, startRedis } from "@belfry/redis-launcher";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";

/** What a server keeps under a key; "away" if it cannot be reached. */
async function read(url: string): Promise<string | null> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on("error", () => {});
  try {
    await client.connect();
    return await client.get("kept");
  } catch {
    return "away";
  } finally {
    client.disconnect();
  }
}

describe.skipIf(!hasRedis)("a Redis of tests (only where redis-server is installed)", () => {
  test("is killed when the process that started it is", async () => {
    const script = fileURLToPath(new URL("./start-and-wait.ts", import.meta.url));
    const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
    const [output] = await once(child.stdout.setEncoding("utf8"), "data");
    const url = String(output).trim();
    expect(await read(url)).toBe(null);
    child.kill("SIGKILL");
    await expect.poll(() => read(url)).toBe("away");
  });

  test("that was killed is empty after the next start, on the same port", async () => {
    const server = await startRedis();
    const client = new Redis(server.url);
    client.on("error", () => {});
    try {
      await client.set("kept", "1");
      expect(await read(server.url)).toBe("1");
      await server.kill();
      expect(await read(server.url)).toBe("away");
      await server.startAgain();
      expect(await read(server.url)).toBe(null);
    } finally {
      client.disconnect();
      await server.stop();
    }
  });
});
