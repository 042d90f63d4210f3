import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { SignJWT } from "jose";
import { afterEach, describe, expect, test } from "vitest";
import { readConfig } from "../src/config.ts";
import { type ServerProcess, startServer } from "./run-server.ts";

const run = promisify(execFile);
const JWT_SECRET = "the server's own secret, long enough for HS256";

const running: ServerProcess[] = [];
async function start(env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const server = await startServer(env);
  running.push(server);
  return server;
}
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ child, stop }) => (child.exitCode === null ? stop() : null)));
});

async function curl(...args: string[]): Promise<unknown> {
  const { stdout } = await run("curl", ["-sS", ...args]);
  return JSON.parse(stdout);
}

async function bearer(user: string): Promise<Record<string, string>> {
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(user)
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(JWT_SECRET));
  return { authorization: `Bearer ${token}` };
}

describe.each(["express", "hono"])("the complete host on %s", (framework) => {
  test("answers the pack document's five curl commands", async () => {
    const { url } = await start({ FRAMEWORK: framework });
    const content = "Your order has been shipped!";
    const created = await curl(
      "-X",
      "POST",
      `${url}/api/notifications/create`,
      "-H",
      "Content-Type: application/json",
      "-d",
      JSON.stringify({ user_id: "user_123", content }),
    );
    expect(created).toEqual({ user_id: "user_123", content, timestamp: expect.any(String), is_read: false });
    expect(await curl(`${url}/api/notifications/list`)).toEqual([created]);
    expect(await curl(`${url}/api/notifications/list?user_id=user_123&limit=20`)).toEqual([created]);
    expect(await curl("-X", "POST", `${url}/api/notifications/mark-read/user_123/0`)).toEqual({
      ok: true,
      message: "Notification marked as read",
    });
    expect(await curl(`${url}/api/notifications/unread-count/user_123`)).toEqual({ user_id: "user_123", unread_count: 0 });
  });

  test("takes its credentials from the environment, and keeps its data over a restart", async () => {
    const folder = await mkdtemp(join(tmpdir(), "belfry-server-"));
    const env = {
      FRAMEWORK: framework,
      DATABASE_URL: `sqlite:${join(folder, "deep", "belfry.db")}`,
      API_KEYS: "a=b=acme,other=globex",
      USER_TOKENS: "tok=en==ann",
      JWT_SECRET,
      PACK_AUTH: "apikey",
    };
    const first = await start(env);
    const create = `${first.url}/api/notifications/create`;
    const body = { method: "POST", body: JSON.stringify({ user_id: "ann", content: "Hello" }) };
    const json = { "content-type": "application/json" };
    expect((await fetch(create, { ...body, headers: json })).status).toBe(401);
    expect((await fetch(create, { ...body, headers: { ...json, "x-api-key": "a=b" } })).status).toBe(200);
    expect((await fetch(create, { ...body, headers: { ...json, "x-api-key": "other" } })).status).toBe(200);
    expect(await first.stop()).toBe(0);

    const second = await start(env);
    const inbox = await fetch(`${second.url}/api/v1/notifications`, { headers: await bearer("ann") });
    expect(await inbox.json()).toMatchObject({ total: 1, notifications: [{ message: "Hello", user_id: "ann" }] });
    const count = await fetch(`${second.url}/notifications/unread_count/`, { headers: { authorization: "Token tok=en=" } });
    expect(await count.json()).toEqual({ count: 1 });
  });

  test("ends with 0 on SIGTERM while streams are open", async () => {
    const server = await start({ FRAMEWORK: framework, JWT_SECRET });
    const stream = await fetch(`${server.url}/api/v1/notifications/stream`, { headers: await bearer("ann") });
    expect(stream.status).toBe(200);
    const ended = stream.text();
    expect(await server.stop()).toBe(0);
    expect(await ended).toContain("inbox_state");
  });
});

describe("the configuration", () => {
  test("has safe defaults", () => {
    const config = readConfig({});
    expect(config).toMatchObject({ host: "127.0.0.1", port: 3000, framework: "express", database: "./data/belfry.db", packAuth: "open" });
    expect(config.madeUpKey).toMatch(/^[\w-]{32}$/);
    expect(readConfig({ HOST: "0.0.0.0" }).packAuth).toBe("apikey");
  });

  test("the first client is the default tenant", () => {
    expect(readConfig({ API_KEYS: "k1=acme,k2=globex" }).defaultTenant).toBe("acme");
  });

  test.each([
    [{ PORT: "http" }, "PORT"],
    [{ FRAMEWORK: "koa" }, "FRAMEWORK"],
    [{ API_KEYS: "nothing" }, "API_KEYS: entry 1"],
    [{ USER_TOKENS: "a=b,=c" }, "USER_TOKENS: entry 2"],
    [{ DATABASE_URL: "mysql://x" }, 'DATABASE_URL: cannot use "mysql:"'],
  ])("%j is refused by name", (env, text) => {
    expect(() => readConfig(env)).toThrow(text);
  });
});

describe("the quickstarts", () => {
  test.each(["express", "hono"])("the README shows the %s one as it is", async (framework) => {
    const readme = await readFile(new URL("../../../README.md", import.meta.url), "utf8");
    const source = await readFile(new URL(`../../${framework}-quickstart/src/main.ts`, import.meta.url), "utf8");
    expect(readme).toContain(`\`\`\`ts\n${source}\`\`\``);
  });

  test.each(["express", "hono"])("the %s one serves", async (framework) => {
    const folder = await mkdtemp(join(tmpdir(), "belfry-quickstart-"));
    const port = await freePort();
    const main = fileURLToPath(new URL(`../../${framework}-quickstart/src/main.ts`, import.meta.url));
    const child = spawn(process.execPath, ["--conditions=@belfry/source", main], { cwd: folder, env: { PORT: String(port) } });
    try {
      const url = `http://127.0.0.1:${port}`;
      const order = () =>
        fetch(`${url}/orders`, { method: "POST" }).then(
          ({ status }) => status,
          () => null,
        );
      await expect.poll(order, { timeout: 30_000 }).toBe(201);
      const list = await fetch(`${url}/api/notifications/list?user_id=user_123`);
      expect(await list.json()).toMatchObject([{ user_id: "user_123", is_read: false }]);
    } finally {
      child.kill("SIGKILL");
    }
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
