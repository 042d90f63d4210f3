import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readConfig } from "../src/config.ts";
import { demoVapidKeys } from "../src/demo/demo-vapid-keys.ts";
import { HOSTS, type HostDatabase, hostDatabase } from "./host-database.ts";
import { type ServerProcess, spawnServer, startServer } from "./run-server.ts";

const run = promisify(execFile);
const JWT_SECRET = "the server's own secret, long enough for HS256";

const running: ServerProcess[] = [];
const databases: HostDatabase[] = [];
async function start(env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const server = await startServer(env);
  running.push(server);
  return server;
}
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ child, stop }) => (child.exitCode === null ? stop() : null)));
  await Promise.all(databases.splice(0).map((database) => database.drop()));
});

async function curl(...args: string[]): Promise<unknown> {
  const { stdout } = await run("curl", ["-sS", ...args]);
  return JSON.parse(stdout);
}

function jwt(user: string): Promise<string> {
  const claims = new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setSubject(user).setExpirationTime("1h");
  return claims.sign(new TextEncoder().encode(JWT_SECRET));
}

async function bearer(user: string): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await jwt(user)}` };
}

test.each(["express", "hono"])(
  "a front end of another origin in CORS_ORIGINS may ask and read the unread count, others may not, on %s",
  async (FRAMEWORK) => {
    const app = "https://app.example.com";
    const { url } = await start({ FRAMEWORK, JWT_SECRET, CORS_ORIGINS: `${app}, http://localhost:5173` });
    const ask = async (origin: string, init: RequestInit) => {
      const { status, headers } = await fetch(`${url}/api/v1/notifications`, { ...init, headers: { ...init.headers, origin } });
      return { status, allowed: headers.get("access-control-allow-origin"), exposed: headers.get("access-control-expose-headers") };
    };
    const preflight = {
      method: "OPTIONS",
      headers: { "access-control-request-method": "PATCH", "access-control-request-headers": "authorization" },
    };
    expect(await ask(app, preflight)).toMatchObject({ status: 204, allowed: app });
    const asked = await ask(app, { headers: await bearer("ann") });
    expect(asked).toMatchObject({ status: 200, allowed: app, exposed: expect.stringContaining("X-Unread-Count") });
    expect(await ask(app, {})).toMatchObject({ status: 401, allowed: app });
    expect((await ask("https://evil.example", { headers: await bearer("ann") })).allowed).toBeNull();
  },
);

test("CORS_ORIGINS that are no origins are refused by name", () => {
  for (const wrong of ["app.example.com", "https://app.example.com/", "https://App.example.com", "*"]) {
    expect(() => readConfig({ CORS_ORIGINS: wrong })).toThrow(`CORS_ORIGINS: ${JSON.stringify(wrong)} is no origin`);
  }
});

test("a host without configuration prints how to try it out, and says so if its port is taken", async () => {
  const { url, output } = await start({});
  const token = /user_123 may ask inbox-v1 and native with the token (\S+)/.exec(output())?.[1];
  const key = /the key of this run is (\S+)/.exec(output())?.[1] ?? "";
  await fetch(`${url}/api/notifications/create`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"user_id":"user_123","content":"Hello"}',
  });
  const inbox = await fetch(`${url}/api/v1/notifications`, { headers: { authorization: `Bearer ${token}` } });
  expect(await inbox.json()).toMatchObject({ total: 1, notifications: [{ message: "Hello" }] });
  expect((await fetch(`${url}/identities`, { headers: { "x-api-key": key } })).status).toBe(200);
  const second = spawnServer({ PORT: new URL(url).port });
  expect(await second.exited).toBe(1);
  expect(second.output()).toContain(`Port ${new URL(url).port} on 127.0.0.1 is in use; set PORT`);
});

describe.each(HOSTS)("the complete host on %s over %s", (framework, kind) => {
  let databaseUrl: string;
  beforeEach(async () => {
    const database = await hostDatabase(kind);
    databases.push(database);
    databaseUrl = database.url;
  });

  test("answers the pack document's five curl commands", async () => {
    const { url } = await start({ FRAMEWORK: framework, DATABASE_URL: databaseUrl });
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
    const env = {
      FRAMEWORK: framework,
      DATABASE_URL: databaseUrl,
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

  test("serves a user's inbox by JWT: live, read, counted and deleted", async () => {
    const { url } = await start({ FRAMEWORK: framework, DATABASE_URL: databaseUrl, JWT_SECRET });
    const headers = await bearer("ann");
    const socket = new WebSocket(`${url.replace("http", "ws")}/api/v1/ws/events?token=${await jwt("ann")}`);
    const frame = new Promise<MessageEvent>((resolve) => socket.addEventListener("message", resolve));
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    // The server answers a subscription only once it has checked the token.
    socket.send(JSON.stringify({ type: "subscribe", event_types: ["notification_new"] }));
    expect(JSON.parse((await frame).data)).toMatchObject({ status: "subscribed" });
    const live = new Promise<MessageEvent>((resolve) => socket.addEventListener("message", resolve));
    await curl(`${url}/api/notifications/create`, "-H", "Content-Type: application/json", "-d", '{"user_id": "ann", "content": "Hi"}');
    const { type, payload } = JSON.parse((await live).data);
    expect([type, payload.message, payload.status]).toEqual(["notification_new", "Hi", "unread"]);
    socket.close();

    const item = `${url}/api/v1/notifications/${payload.id}`;
    expect((await fetch(`${item}/read`, { method: "PATCH", headers })).status).toBe(200);
    const count = await fetch(`${url}/api/v1/notifications/unread-count`, { headers });
    expect(await count.json()).toEqual({ count: 0 });
    expect((await fetch(item, { method: "DELETE", headers })).status).toBe(204);
    expect((await fetch(item, { method: "DELETE", headers })).status).toBe(404);
  });

  test("serves a user's inbox by token, in Django's pages", async () => {
    const { url } = await start({ FRAMEWORK: framework, DATABASE_URL: databaseUrl, USER_TOKENS: "a-token=ann" });
    const headers = { authorization: "Token a-token" };
    await curl(`${url}/api/notifications/create`, "-H", "Content-Type: application/json", "-d", '{"user_id": "ann", "content": "Hi"}');
    const page = await fetch(`${url}/notifications/?page=1`, { headers });
    expect(await page.json()).toMatchObject({ count: 1, next: null, previous: null, results: [{ id: 1, message: "Hi", is_read: false }] });
    const marked = await fetch(`${url}/notifications/1/mark_as_read/`, { method: "POST", headers });
    expect(await marked.json()).toMatchObject({ id: 1, is_read: true });
    expect((await fetch(`${url}/notifications/delete_all_read/`, { method: "DELETE", headers })).status).toBe(204);
    expect((await fetch(`${url}/notifications/`, { headers: { authorization: "Token other" } })).status).toBe(401);
  });

  test("ends with 0 on SIGTERM while streams and sockets are open, even one that does not close", async () => {
    const server = await start({ FRAMEWORK: framework, DATABASE_URL: databaseUrl, JWT_SECRET });
    const stream = await fetch(`${server.url}/api/v1/notifications/stream`, { headers: await bearer("ann") });
    expect(stream.status).toBe(200);
    let streamed = "";
    const ended = (async () => {
      for await (const text of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        streamed += text;
      }
    })();
    await expect.poll(() => streamed, { timeout: 20_000 }).toContain("inbox_state");
    const path = `/api/v1/ws/events?token=${await jwt("ann")}`;
    const socket = new WebSocket(server.url.replace("http", "ws") + path);
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener("close", resolve));
    const stuck = await deafSocket(server.url, path);
    try {
      expect(await server.stop()).toBe(0);
      await ended;
      expect((await closed).code).toBe(1012);
    } finally {
      stuck.destroy();
    }
  });
});

/** Opens a WebSocket that then answers nothing, not even close frames. */
async function deafSocket(url: string, path: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  // The server gets rid of such a client with a reset.
  socket.on("error", () => {});
  const handshake = [
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ];
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\n${handshake.join("\r\n")}\r\n\r\n`);
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.toString()).toContain("101 Switching Protocols");
  return socket;
}

test("a start that fails says why, as JSON, and ends with 1", async () => {
  const { url, child } = await start({});
  const second = spawnServer({ PORT: new URL(url).port });
  expect(await second.exited).toBe(1);
  expect(JSON.parse(second.output())).toMatchObject({ level: 60, error: { message: expect.stringContaining("EADDRINUSE") } });
  expect(child.exitCode).toBeNull();
});

describe("the configuration", () => {
  test("has safe defaults", () => {
    const config = readConfig({});
    expect(config).toMatchObject({ host: "127.0.0.1", port: 3000, framework: "express", packAuth: "open" });
    expect(config.database).toEqual({ kind: "sqlite", file: "./data/belfry.db" });
    expect(config.madeUpKey).toMatch(/^[\w-]{32}$/);
    expect(readConfig({ HOST: "0.0.0.0" }).packAuth).toBe("apikey");
  });

  test.each([
    [{}, true],
    [{ DEMO: "0" }, false],
    [{ DEMO: "1", JWT_SECRET }, true],
    [{ JWT_SECRET }, false],
    [{ API_KEYS: "k=acme" }, false],
    [{ HOST: "0.0.0.0" }, false],
    [{ NODE_ENV: "production" }, false],
  ])("%j opens on the demo: %j", (env, isDemo) => {
    expect(readConfig(env).isDemo).toBe(isDemo);
  });

  test("the keys of a demo's web push are made once, and kept beside its database", async () => {
    const folder = await mkdtemp(join(tmpdir(), "belfry-keys-"));
    const database = { kind: "sqlite", file: join(folder, "new", "belfry.db") } as const;
    const made = demoVapidKeys(database);
    expect(demoVapidKeys(database)).toEqual(made);
    const others = Array.from({ length: 1_000 }, () => demoVapidKeys({ kind: "sqlite", file: ":memory:" }));
    expect(others).not.toContainEqual(made);
    // One key in 256 begins with a zero.
    expect(others.filter(({ privateKey }) => privateKey.length !== made.privateKey.length)).toEqual([]);
    const inFile = { kind: "sqlite", file: join(database.file, "..", "vapid-keys.json", "belfry.db") } as const;
    expect(() => demoVapidKeys(inFile)).toThrow(/cannot use .*vapid-keys\.json: Error: ENOTDIR.*Set DATABASE_URL to a file in a directory/);
    await rm(folder, { recursive: true });
  });

  test("the first client is the default tenant", () => {
    expect(readConfig({ API_KEYS: "k1=acme,k2=globex" }).defaultTenant).toBe("acme");
  });

  test.each([
    [{ PORT: "http" }, 'PORT: must be a port number, from 0 to 65535, got "http"'],
    [{ PORT: "70000" }, 'PORT: must be a port number, from 0 to 65535, got "70000"'],
    [{ DEMO: "1", HOST: "0.0.0.0" }, "DEMO: its page lets whoever opens it be a user"],
    [{ DEMO: "1", NODE_ENV: "production" }, "DEMO: its page lets whoever opens it be a user"],
    [{ FRAMEWORK: "koa" }, 'expected one of "express"|"hono", got "koa"'],
    [{ API_KEYS: "nothing" }, "API_KEYS: entry 1"],
    [{ USER_TOKENS: "a=b,=c" }, "USER_TOKENS: entry 2"],
    [{ PUBLIC_URL: "https://example.com" }, "PUBLIC_URL: serves the links that LINK_SECRET signs"],
    [{ LINK_SECRET: "x".repeat(32) }, "LINK_SECRET: signs links below PUBLIC_URL"],
    [{ DATABASE_URL: "mysql://x" }, 'DATABASE_URL: cannot use "mysql:"'],
    [{ DATABASE_URL: "sqlite:" }, 'DATABASE_URL: cannot use "sqlite:"'],
    [{ DATABASE_URL: "postgres://ann:pass/word@host/db" }, "DATABASE_URL: this is no valid URL"],
    [{ REPLICA_URL: "postgres://host/db" }, "REPLICA_URL: must be like postgres://"],
    [{ DATABASE_URL: "postgres://host/db", REPLICA_URL: "host/db" }, "REPLICA_URL: must be like postgres://"],
  ])("%j is refused by name", (env, text) => {
    expect(() => readConfig(env)).toThrow(text);
  });

  test("an error does not repeat a secret", () => {
    const message = /^WEBHOOK_SECRET: must be whsec_ and base64$/;
    expect(() => readConfig({ WEBHOOK_SECRET: "my secret" })).toThrow(expect.objectContaining({ message: expect.stringMatching(message) }));
  });
});

test.each(["postgres://ann@host/app", "postgresql://ann:secret@host:5433/app"])("%s is a PostgreSQL database", (url) => {
  expect(readConfig({ DATABASE_URL: url })).toMatchObject({ database: { kind: "postgres", url }, replicaUrl: null });
  expect(readConfig({ DATABASE_URL: url, REPLICA_URL: "postgres://replica/app" }).replicaUrl).toBe("postgres://replica/app");
});

describe("the quickstarts", () => {
  test.each(["express", "hono"])("the README shows the %s quickstart unchanged", async (framework) => {
    const readme = await readFile(new URL("../../../README.md", import.meta.url), "utf8");
    const source = await readFile(new URL(`../../${framework}-quickstart/src/main.ts`, import.meta.url), "utf8");
    expect(readme).toContain(`\`\`\`ts\n${source}\`\`\``);
  });

  // The examples of the README are started, too, and these are the same.
  test.skipIf(!process.env.BELFRY_LONG).each(["express", "hono"])("the %s quickstart serves", async (framework) => {
    const folder = await mkdtemp(join(tmpdir(), "belfry-quickstart-"));
    const port = await freePort();
    const main = fileURLToPath(new URL(`../../${framework}-quickstart/src/main.ts`, import.meta.url));
    const env = { PORT: String(port), NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE };
    const child = spawn(process.execPath, ["--conditions=@belfry/source", main], { cwd: folder, env });
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
