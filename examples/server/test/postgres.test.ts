import { type FreshDatabase, freshDatabase } from "@belfry/postgres-launcher";
import { hasRedis, startRedis } from "@belfry/redis-launcher";
import { Redis } from "ioredis";
import { SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ServerProcess, spawnServer, startServer } from "./run-server.ts";

const JWT_SECRET = "the secret that all instances share, long enough for HS256";
const TOKEN = await new SignJWT({})
  .setProtectedHeader({ alg: "HS256" })
  .setSubject("ann")
  .setExpirationTime("1h")
  .sign(new TextEncoder().encode(JWT_SECRET));

let database: FreshDatabase;
let running: ServerProcess[] = [];

beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(async () => {
  await Promise.all(running.map(({ child, stop }) => (child.exitCode === null ? stop() : null)));
  running = [];
  await database.drop();
});

interface Frame {
  readonly type?: string;
  readonly status?: string;
  readonly payload?: { readonly id: string; readonly message: string; readonly status: string };
}

/** Opens a socket of ann, and collects its frames. */
async function listen(url: string): Promise<Frame[]> {
  const frames: Frame[] = [];
  const socket = new WebSocket(`${url.replace("http", "ws")}/api/v1/ws/events?token=${TOKEN}`);
  socket.addEventListener("message", ({ data }) => frames.push(JSON.parse(data)));
  await new Promise((resolve) => socket.addEventListener("open", resolve));
  // The server answers a message only once it has checked the token and the socket follows the inbox.
  socket.send(JSON.stringify({ type: "subscribe", event_types: ["notification_new", "notification_read"] }));
  await expect.poll(() => frames.shift()?.status, { timeout: 20_000 }).toBe("subscribed");
  return frames;
}

describe("instances of the complete host on one PostgreSQL", () => {
  async function startBoth(url: string, more: Readonly<Record<string, string>> = {}): Promise<[ServerProcess, ServerProcess]> {
    const env = { FRAMEWORK: "hono", DATABASE_URL: url, JWT_SECRET, ...more };
    running = await Promise.all([startServer(env), startServer(env)]);
    return running as [ServerProcess, ServerProcess];
  }

  test.skipIf(!hasRedis)("are connected by Redis where REDIS_URL names one (only where redis-server is installed)", async () => {
    const redis = await startRedis();
    const client = new Redis(redis.url);
    try {
      const [first, second] = await startBoth(database.url, { REDIS_URL: redis.url });
      const frames = await listen(second.url);
      // That of all instances, and that of ann's inbox.
      expect(await client.pubsub("SHARDCHANNELS", "belfry:*")).toHaveLength(2);
      await fetch(`${first.url}/api/notifications/create`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ user_id: "ann", content: "Hi" }),
      });
      await expect.poll(() => frames, { timeout: 20_000 }).toMatchObject([{ type: "notification_new", payload: { message: "Hi" } }]);
    } finally {
      client.disconnect();
      await redis.stop();
    }
  });

  test("a REDIS_URL that is none ends the start, without its password", async () => {
    const { exited, output } = spawnServer({ DATABASE_URL: database.url, REDIS_URL: "http://:pass-of-ours@redis" });
    expect(await exited).toBe(1);
    expect(output()).toContain("got http: as an address of Redis");
    expect(output()).not.toContain("pass-of-ours");
  });

  test("start together on an empty database and work as one", async () => {
    const [first, second] = await startBoth(database.url);
    const frames = await listen(second.url);
    const created = await fetch(`${first.url}/api/notifications/create`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user_id: "ann", content: "Hi" }),
    });
    expect(created.status).toBe(200);
    await expect.poll(() => frames.length, { timeout: 20_000 }).toBe(1);
    expect(frames[0]).toMatchObject({ type: "notification_new", payload: { message: "Hi", status: "unread" } });

    const headers = { authorization: `Bearer ${TOKEN}` };
    const item = `${first.url}/api/v1/notifications/${frames[0]?.payload?.id}`;
    expect((await fetch(`${item}/read`, { method: "PATCH", headers })).status).toBe(200);
    await expect.poll(() => frames.length, { timeout: 20_000 }).toBe(2);
    expect(frames[1]).toMatchObject({ type: "notification_read", payload: { id: frames[0]?.payload?.id, status: "read" } });
    const count = await fetch(`${second.url}/api/v1/notifications/unread-count`, { headers });
    expect(await count.json()).toEqual({ count: 0 });
  });

  test("end with 0 on SIGTERM, and find everything there at the next start", async () => {
    const [first, second] = await startBoth(database.url.replace("postgres://", "postgresql://"));
    const body = JSON.stringify({ user_id: "ann", content: "Hi" });
    const headers = { "content-type": "application/json" };
    expect((await fetch(`${first.url}/api/notifications/create`, { method: "POST", headers, body })).status).toBe(200);
    expect(await Promise.all([first.stop(), second.stop()])).toEqual([0, 0]);
    const [third] = await startBoth(database.url);
    const list = await fetch(`${third.url}/api/notifications/list?user_id=ann`);
    expect(await list.json()).toMatchObject([{ content: "Hi" }]);
  });
});

describe("processes of the complete host with roles of their own", () => {
  const HEADERS = { "content-type": "application/json" };
  const create = (url: string) =>
    fetch(`${url}/api/notifications/create`, { method: "POST", headers: HEADERS, body: JSON.stringify({ user_id: "ann", content: "Hi" }) });
  const ready = async (url: string) => {
    const answer = await fetch(`${url}/health/ready`);
    return [answer.status, await answer.json()];
  };

  test.each(["express", "hono"])("a web process takes requests, a worker answers health checks alone, on %s", async (FRAMEWORK) => {
    const env = { FRAMEWORK, DATABASE_URL: database.url, JWT_SECRET };
    running = await Promise.all(["web", "worker"].map((ROLE) => startServer({ ...env, ROLE })));
    const [web, worker] = running as [ServerProcess, ServerProcess];
    expect(await Promise.all(running.map(({ url }) => ready(url)))).toEqual([
      [200, { status: "ready" }],
      [200, { status: "ready" }],
    ]);
    expect((await create(web.url)).status).toBe(200);
    expect((await create(worker.url)).status).toBe(404);
    expect((await fetch(`${worker.url}/api/ui-dashboard/notifications-dashboard-ui/`)).status).toBe(404);
    expect(worker.output()).toContain("This process has the role worker");
  });

  test("after SIGTERM the readiness fails while requests are answered; then the process drains and ends with 0", async () => {
    running = [await startServer({ DATABASE_URL: database.url, ROLE: "web", RETIRE_MS: "600000" })];
    const [{ url, child, exited }] = running as [ServerProcess];
    child.kill("SIGTERM");
    await expect.poll(() => ready(url), { timeout: 20_000 }).toEqual([503, { status: "not_ready", reason: "retiring" }]);
    expect((await create(url)).status).toBe(200);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
  });

  test("a role on SQLite is refused with the remedy", async () => {
    const { exited, output } = spawnServer({ ROLE: "worker" });
    expect(await exited).toBe(1);
    expect(output()).toContain("one process does all the work on a sqlite storage; leave the role out, or use PostgreSQL");
  });
});

describe("a database that cannot be used", () => {
  const unusable: readonly [string, (url: URL) => void, string, string][] = [
    ["at a port where nobody listens", (url) => Object.assign(url, { port: "1" }), "ECONNREFUSED", ":1/"],
    ["that does not exist", (url) => Object.assign(url, { pathname: "/no_such_database" }), "does not exist", "/no_such_database"],
    ["whose password is another", (url) => Object.assign(url, { password: "not-the-password" }), "password authentication failed", "@"],
  ];
  test.each(unusable)(
    "%s is reported with its place and without its password, and the process ends with 1",
    async (_, change, fact, place) => {
      const url = new URL(database.url);
      change(url);
      const { exited, output } = spawnServer({ DATABASE_URL: url.href });
      expect(await exited).toBe(1);
      const lines = output().trim().split("\n");
      const last = JSON.parse(lines.at(-1) ?? "");
      expect(last.level).toBe(60);
      expect(last.msg).toContain("Cannot use the database postgres://");
      expect(last.msg).toContain(fact);
      expect(last.msg).toContain(place);
      expect(last.msg).toContain("Check that PostgreSQL runs there");
      expect(output()).not.toContain(url.password);
    },
  );
});
