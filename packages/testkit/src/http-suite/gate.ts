import { request } from "node:http";
import { deliveryV1, hub, inboxV1, pack } from "@belfry/core/contracts";
import type { HandlerOptions, Principal } from "@belfry/core/http";
import { afterEach, describe, expect, test } from "vitest";
import { ask, JWT_SECRET, jwt } from "./client.ts";
import { HandClock } from "./hand-clock.ts";
import type { HttpHarness, RunningServer } from "./harness.ts";
import { LogBook } from "./log-book.ts";
import { API_KEY, suiteOptions, useSetting } from "./setting.ts";
import { SocketClient } from "./socket-client.ts";
import { StreamClient } from "./stream-client.ts";

const V1 = "/api/v1/notifications";
const SOCKET = "/api/v1/ws/events";
const PACK = "/api/notifications";

/** Who is let in, for how long, and what becomes of those who guess. */
export function gateSuite(harness: HttpHarness): void {
  const cleanUp: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const step of cleanUp.splice(0)) {
      await step();
    }
  });
  /** A server of a test's own, whose complaints the test looks at. */
  const serve = async (options: Partial<HandlerOptions>): Promise<RunningServer & { readonly logs: LogBook }> => {
    const logs = new LogBook();
    const service = await harness.service({ logger: logs });
    await service.start();
    const server = await harness.serve(service, { ...suiteOptions({ logger: logs }), ...options });
    cleanUp.push(
      () => server.close(),
      () => service.stop(),
    );
    return { ...server, logs };
  };

  describe("credentials of open streams", () => {
    const clock = new HandClock();
    const sessions = new Map<string, Principal>();
    const auth: HandlerOptions["auth"] = ({ headers }) => sessions.get(headers.authorization?.replace("Bearer ", "") ?? "") ?? null;
    const setting = useSetting(harness, { auth, clock, contracts: [inboxV1(), hub()] });

    test("row 26: a session that the host's auth function ends closes its socket with 4401, and its stream", async () => {
      sessions.set("one", { kind: "user", tenant: "acme", userId: "ann" });
      sessions.set("two", { kind: "user", tenant: "acme", userId: "ann" });
      const socket = await new SocketClient(`${setting.url}${SOCKET}?token=one`).ready();
      const stream = await new StreamClient().open(`${setting.url}${V1}/stream`, { authorization: "Bearer one" });
      const other = await new SocketClient(`${setting.url}${SOCKET}?token=two`).ready();
      await stream.received.count(1);
      sessions.delete("one");
      clock.pass(16_000);
      expect(await socket.closed()).toBe(4401);
      await stream.received.until(() => stream.ended);
      await setting.service.tenant("acme").create({ to: "ann", title: "still here" });
      expect((await other.received.count(1))[0]).toMatchObject({ type: "notification_new" });
      other.drop();
    });

    test("row 26: a key that may not read any more ends the hub's socket", async () => {
      sessions.set("key", { kind: "client", tenant: "acme", scopes: ["read", "write"] });
      const socket = new SocketClient(`${setting.url}/ws?apiKey=key`, { authorization: "Bearer key" });
      await socket.received.count(1);
      sessions.set("key", { kind: "client", tenant: "acme", scopes: ["write"] });
      clock.pass(16_000);
      expect(await socket.closed()).toBe(4401);
    });
  });

  describe("guesses", () => {
    const guesser = { "x-address": "203.0.113.7" };
    const limits = {
      badCredentialLimiter: undefined,
      clientAddress: ({ headers }: { headers: Readonly<Record<string, string | undefined>> }) => headers["x-address"],
    };

    test("row 19: are answered 429 before they are looked up, and who was let in before still is", async () => {
      let lookUps = 0;
      const apiKeys = (key: string) => {
        lookUps += 1;
        return key === API_KEY ? "acme" : null;
      };
      const clock = new HandClock();
      const { url } = await serve({ ...limits, clock, contracts: [deliveryV1()], auth: { apiKeys } });
      const status = async (key: string, headers = guesser) =>
        (await ask(`${url}${V1}`, { headers: { "x-api-key": key, ...headers } })).status;
      expect(await status("wrong")).toBe(401);
      expect(await status(API_KEY)).toBe(200);
      for (let count = 0; count < 99; count += 1) {
        await status(`wrong ${count}`);
      }
      expect(await status("one too many")).toBe(429);
      const before = lookUps;
      expect([await status("wrong again"), lookUps]).toEqual([429, before]);
      expect(await status(API_KEY)).toBe(200);
      expect(await status("wrong", { "x-address": "203.0.113.8" })).toBe(401);
      clock.pass(61_000);
      expect(await status("wrong")).toBe(401);
    });

    test("row 19: are not counted for a proxy's address, nor are tokens that have only expired", async () => {
      const { url } = await serve({ badCredentialLimiter: undefined, contracts: [inboxV1(), deliveryV1()] });
      const named = await serve({ ...limits, contracts: [inboxV1()], auth: { jwt: { secret: JWT_SECRET } } });
      const expired = `Bearer ${await jwt("ann", { expiresInS: -10 })}`;
      for (let count = 0; count < 105; count += 1) {
        expect((await ask(`${url}${V1}`, { headers: { "x-api-key": "wrong" } })).status).toBe(401);
        expect((await ask(`${named.url}${V1}`, { headers: { authorization: expired, ...guesser } })).status).toBe(401);
      }
    });
  });

  test("row 25: handshakes that wait for a look-up count as open: no more sockets than an address may have", async () => {
    const { promise: lookedUp, resolve: answer } = Promise.withResolvers<string>();
    const { url, logs } = await serve({ contracts: [hub()], auth: { apiKeys: () => lookedUp }, maxSocketsPerAddress: 3 });
    const sockets = Array.from({ length: 20 }, () => new SocketClient(`${url}/ws?apiKey=${API_KEY}`));
    const refused = () => sockets.filter(({ closeCode }) => closeCode !== null).length;
    await expect.poll(refused).toBe(17);
    answer("acme");
    const isOpen = ({ received }: SocketClient) => received.frames.length > 0;
    await expect.poll(() => sockets.filter(isOpen).length).toBe(3);
    expect(logs.complaints).toEqual([expect.stringContaining("maxSocketsPerAddress")]);
    for (const socket of sockets) {
      socket.drop();
    }
  });

  test("streams count among an address's sockets", async () => {
    const { url } = await serve({ contracts: [inboxV1()], maxSocketsPerAddress: 1, clientAddress: () => "203.0.113.7" });
    const headers = { authorization: `Bearer ${await jwt("ann")}` };
    const stream = await new StreamClient().open(`${url}${V1}/stream`, headers);
    await stream.received.count(1);
    const refused = await ask(`${url}${V1}/stream`, { headers });
    expect(refused.status).toBe(429);
    // Not all at the same time.
    const seconds = Number(refused.headers.get("retry-after"));
    expect([seconds >= 30, seconds <= 60, Number.isInteger(seconds)], String(seconds)).toEqual([true, true, true]);
    stream.drop();
    await expect
      .poll(async () => {
        const again = await new StreamClient().open(`${url}${V1}/stream`, headers);
        again.drop();
        return again.status;
      })
      .toBe(200);
  });

  test("streams and sockets of other processes count among an address's", async () => {
    let elsewhere = 2;
    const socketCounts = { note: async () => elsewhere };
    const limits = { maxSocketsPerAddress: 3, socketCounts, clientAddress: () => "203.0.113.7" };
    const { url } = await serve({ contracts: [inboxV1(), hub()], ...limits });
    const headers = { authorization: `Bearer ${await jwt("ann")}` };
    const stream = await new StreamClient().open(`${url}${V1}/stream`, headers);
    await stream.received.count(1);
    expect((await ask(`${url}${V1}/stream`, { headers })).status).toBe(429);
    const refused = new SocketClient(`${url}/ws?apiKey=${API_KEY}`);
    await expect.poll(() => refused.closeCode).not.toBe(null);
    elsewhere = 1;
    const socket = new SocketClient(`${url}/ws?apiKey=${API_KEY}`);
    await expect.poll(() => socket.received.frames.length).toBeGreaterThan(0);
    stream.drop();
    socket.drop();
  });

  test("row 23: where the host's function looks at requests, pages of other sites open no socket", async () => {
    const { url } = await serve({ contracts: [inboxV1()], auth: () => ({ kind: "user", tenant: "acme", userId: "ann" }) });
    const outcome = async (headers: Readonly<Record<string, string>>) => {
      const client = new SocketClient(`${url}${SOCKET}?token=x`, headers);
      client.socket.once("open", () => client.received.changed());
      await client.received.until(() => client.closeCode !== null || client.socket.readyState === client.socket.OPEN);
      const isOpen = client.closeCode === null;
      client.drop();
      return isOpen;
    };
    expect(await outcome({ origin: "https://evil.example" })).toBe(false);
    expect(await outcome({ cookie: "session=1" })).toBe(false);
    expect(await outcome({ origin: url, cookie: "session=1" })).toBe(true);
    expect(await outcome({})).toBe(true);
  });

  test("an auth function that forgets the tenant is the host's fault: 500, and a line in the log", async () => {
    const { url, logs } = await serve({ contracts: [inboxV1()], auth: () => ({ kind: "user", userId: "ann" }) as unknown as Principal });
    expect((await ask(`${url}${V1}`)).status).toBe(500);
    expect(logs.complaints).toEqual([expect.stringContaining("whose tenant is undefined; give a text")]);
  });

  describe("a contract that asks for no credential", () => {
    const setting = useSetting(harness, { contracts: [pack({ auth: "open" })] });
    const list = async (headers: Readonly<Record<string, string>>) => {
      const { host, port } = { host: new URL(setting.url).hostname, port: new URL(setting.url).port };
      return new Promise<number | undefined>((resolve, reject) => {
        const sent = request({ host, port, path: `${PACK}/list?user_id=ann`, headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sent.on("error", reject);
        sent.end();
      });
    };

    test("answers its own pages and clients, and no page of another site", async () => {
      expect(await list({})).toBe(200);
      expect(await list({ origin: setting.url })).toBe(200);
      // A name that was made to point to this machine shows only where the peer's address is known.
      expect(await list({ host: "evil.example" })).toBe(harness.knowsPeer === false ? 200 : 403);
      expect(await list({ origin: "https://evil.example" })).toBe(403);
      const post = await ask(`${setting.url}${PACK}/mark-read/ann/0`, {
        method: "POST",
        headers: { origin: "https://evil.example" },
      });
      expect(post.status).toBe(403);
      for (const site of ["cross-site", "same-site"]) {
        const headers = { "sec-fetch-site": site };
        expect((await ask(`${setting.url}${PACK}/mark-read/ann/0`, { method: "POST", headers })).status).toBe(403);
      }
      expect(await list({ host: "app.example.com", "x-forwarded-for": "203.0.113.7" })).toBe(200);
    });
  });

  describe("without a credential", () => {
    const setting = useSetting(harness, { contracts: [inboxV1(), deliveryV1()] });

    test("the contract that has the method answers", async () => {
      const create = await ask(`${setting.url}${V1}`, { method: "POST", json: {} });
      expect([create.status, create.body]).toMatchObject([401, { error: { code: "UNAUTHENTICATED" } }]);
      const list = await ask(`${setting.url}${V1}`);
      expect([list.status, list.body]).toEqual([401, { detail: "Not authenticated" }]);
    });
  });
}
