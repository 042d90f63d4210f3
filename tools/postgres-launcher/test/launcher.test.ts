import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { freshDatabase, startPostgres } from "@belfry/postgres-launcher";
import pg from "pg";
import { expect, test } from "vitest";

test("when the process that started it is killed, a server is stopped and its directory removed", async () => {
  const script = fileURLToPath(new URL("./start-and-wait.ts", import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  const [output] = await once(child.stdout.setEncoding("utf8"), "data");
  const { url, directory } = JSON.parse(String(output)) as { url: string; directory: string };
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  expect(existsSync(directory)).toBe(true);
  child.kill("SIGKILL");
  await expect.poll(() => existsSync(directory), { timeout: 20_000 }).toBe(false);
  await expect(client.query("SELECT 1")).rejects.toThrow();
});

test("a fresh database is empty, and gone after it is dropped", async () => {
  const { url, drop } = await freshDatabase();
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  const { rows } = await client.query("SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'");
  expect(rows).toEqual([{ tables: 0 }]);
  await drop();
  await expect(new pg.Client({ connectionString: url }).connect()).rejects.toThrow("does not exist");
});

test("a server that was shut down accepts nobody, and has its data and its port after the next start", async () => {
  const server = await startPostgres();
  try {
    const query = async (text: string) => {
      const client = new pg.Client({ connectionString: server.url });
      await client.connect();
      return client.query(text).finally(() => client.end());
    };
    await query("CREATE TABLE kept AS SELECT 1 AS number");
    await server.shutDown("immediate");
    await expect(query("SELECT 1")).rejects.toThrow("ECONNREFUSED");
    await server.startAgain();
    expect((await query("SELECT number FROM kept")).rows).toEqual([{ number: 1 }]);
  } finally {
    await server.stop();
  }
});

test("a standby has what its server has and gets, refuses writes, and outlives it", async () => {
  const server = await startPostgres();
  const query = async (url: string, text: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return (await client.query({ text, rowMode: "array" }).finally(() => client.end())).rows;
  };
  try {
    await query(server.url, "CREATE TABLE copied AS SELECT 1 AS number");
    const standby = await server.startStandby();
    try {
      await query(server.url, "INSERT INTO copied VALUES (2)");
      await expect.poll(() => query(standby.url, "SELECT number FROM copied ORDER BY number")).toEqual([[1], [2]]);
      await expect(query(standby.url, "INSERT INTO copied VALUES (3)")).rejects.toThrow("read-only transaction");
      await server.stop();
      expect(await query(standby.url, "SELECT count(*)::int FROM copied")).toEqual([[2]]);
    } finally {
      await standby.stop();
    }
  } finally {
    await server.stop();
  }
});
