import { django, hub } from "@belfry/core/contracts";
import { describe, expect, test, vi } from "vitest";
import { ask } from "./client.ts";
import { HandClock } from "./hand-clock.ts";
import type { HttpHarness } from "./harness.ts";
import { addHandler, askHub, openHubSocket, pushEvent, subscribe } from "./hub-client.ts";
import { LogBook } from "./log-book.ts";
import { fill } from "./routes.ts";
import { API_KEY, OTHER_API_KEY, useSetting } from "./setting.ts";
import { SocketClient } from "./socket-client.ts";

const SECURED = hub().routes.filter(({ isPublic }) => !isPublic);
const EVENT = { source_service: "mail", sender_id: "ann", content: "x" };

/** Tests which credentials get into the hub, and that clients never see or change each other's data. */
export function hubAccessSuite(harness: HttpHarness): void {
  describe("hub: credentials", () => {
    const setting = useSetting(harness, { contracts: [hub(), django()] });

    test.each(SECURED)("$method $path needs a valid key, and nothing else opens it", async ({ method, path }) => {
      const url = `${setting.url}${fill(path.replace("*}", "}"), { handler_id: "x", identity_id: "x", source_service: "s", source_id: "s" })}`;
      const refusal = async (headers: Readonly<Record<string, string>>, query = "") => {
        const { status, body } = await ask(`${url}${query}`, { method, headers, ...(method === "GET" ? {} : { json: {} }) });
        return [status, body];
      };
      // Both contracts have these paths. Without a credential, the user contract answers where both have the method too.
      const isShared = method === "GET" && ["/notifications", "/notifications/{notification_id}"].includes(path);
      const none = isShared ? "Authentication credentials were not provided." : "Not authenticated";
      expect(await refusal({})).toEqual([401, { detail: none }]);
      expect(await refusal({}, `?apiKey=${API_KEY}&api_key=${API_KEY}`)).toEqual([401, { detail: none }]);
      for (const key of ["", "x", API_KEY.slice(0, -1), `${API_KEY}x`, "__proto__", "x".repeat(4_000)]) {
        expect(await refusal({ "x-api-key": key })).toEqual([401, { detail: "Could not validate credentials" }]);
      }
      const [status] = await refusal({ "x-api-key": API_KEY });
      expect(status).not.toBe(401);
      const [byBearer] = await refusal({ authorization: `Bearer ${API_KEY}` });
      expect(byBearer).toBe(status);
    });

    test("/notifications is answered by the hub with a key, and by django with a token", async () => {
      await pushEvent(setting, EVENT);
      await setting.service.create({ to: "ann", title: "hers" });
      expect((await askHub(setting, "/notifications/")).body).toMatchObject([{ source_service: "mail" }]);
      expect((await ask(`${setting.url}/notifications/`, { headers: setting.token("ann") })).body).toMatchObject({
        count: 1,
        results: [{ title: "hers" }],
      });
      const both = { ...setting.token("ann"), "x-api-key": API_KEY };
      expect((await ask(`${setting.url}/notifications/`, { headers: both })).body).toMatchObject([{ source_service: "mail" }]);
      // For a path it does not have, the chosen contract answers its own 404 or 405.
      expect((await ask(`${setting.url}/notifications/unread_count/`, { headers: { "x-api-key": API_KEY } })).status).toBe(404);
      expect((await ask(`${setting.url}/identities/`, { headers: setting.token("ann") })).status).toBe(404);
    });

    test("/status answers with a key, without one, and with a wrong one", async () => {
      for (const headers of [{}, { "x-api-key": API_KEY }, { "x-api-key": "wrong" }, setting.token("ann")]) {
        const answer = await ask(`${setting.url}/status`, { headers });
        expect([answer.status, answer.body]).toEqual([200, { status: "ok", version: expect.stringMatching(/^\d+\.\d+\.\d+/) }]);
      }
      expect((await ask(`${setting.url}/status/`)).status).toBe(200);
      const wrong = await ask(`${setting.url}/status`, { method: "POST" });
      expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET"]);
    });

    test("row 1: another client's data is as unknown as data that never existed", async () => {
      const id = await pushEvent(setting, EVENT);
      const handler = await addHandler(setting, { source_service: "mail", prompt: "mine" });
      const json = { source_service: "mail", source_id: "ann", name: "Ann" };
      const identity = ((await askHub(setting, "/identities/", { method: "POST", json })).body as { id: string }).id;
      const unknown = "01920000-0000-7000-8000-000000000000";
      for (const [method, path, own] of [
        ["GET", "/notifications/", id],
        ["GET", "/notification-handlers/", handler],
        ["PUT", "/notification-handlers/", handler],
        ["DELETE", "/notification-handlers/", handler],
        ["GET", "/identities/", identity],
        ["DELETE", "/identities/", identity],
      ] as const) {
        const send = async (of: string) => {
          const more = method === "PUT" ? { json: { prompt: "theirs" } } : {};
          const { status, body } = await askHub(setting, `${path}${of}`, { method, key: OTHER_API_KEY, ...more });
          return [status, JSON.stringify(body).replace(of, "id")];
        };
        expect([method, path, ...(await send(own))]).toEqual([method, path, ...(await send(unknown))]);
        expect((await send(own))[0]).toBe(404);
      }
      const theirs = (path: string) => askHub(setting, path, { key: OTHER_API_KEY });
      expect((await theirs(`/notifications/${id}/processing`)).status).toBe(404);
      expect((await theirs("/identities/source/mail/ann")).status).toBe(404);
      for (const path of ["/notifications/?client_id=acme&tenant=acme", "/notification-handlers/", "/identities/"]) {
        expect((await theirs(path)).body).toEqual([]);
      }
      // The other client's identity with the same name is another one, and its events do not reach the first client's handlers.
      expect((await askHub(setting, "/identities/", { method: "POST", json, key: OTHER_API_KEY })).status).toBe(201);
      const other = await pushEvent(setting, { ...EVENT, client_id: "acme", tenant_id: "acme" }, OTHER_API_KEY);
      expect((await theirs(`/notifications/${other}/processing`)).body).toEqual([]);
      expect((await askHub(setting, `/notification-handlers/${handler}`)).body).toMatchObject({ prompt: "mine" });
    });

    test("a wrong key, no key, and a token are refused at the handshake with 401", async () => {
      for (const query of ["", "?apiKey=", "?apiKey=wrong", `?api_key=${API_KEY}`, "?token=token-of-ann"]) {
        const client = new SocketClient(`${setting.url}/ws${query}`);
        const status = new Promise((resolve) => {
          client.socket.on("unexpected-response", (request, response) => {
            resolve(response.statusCode);
            request.destroy();
          });
        });
        expect(await status).toBe(401);
      }
      const byHeader = new SocketClient(`${setting.url}/ws`, { "x-api-key": API_KEY });
      expect(await byHeader.received.count(1)).toMatchObject([{ type: "system" }]);
      byHeader.drop();
      const afterMark = new SocketClient(`${setting.url}/ws?from=a?b&apiKey=${API_KEY}`);
      expect(await afterMark.received.count(1)).toMatchObject([{ type: "system" }]);
      afterMark.drop();
    });
  });

  describe("hub: keys that are revoked", () => {
    const clock = new HandClock();
    const valid = new Set([API_KEY]);
    const apiKeys = (key: string) => (valid.has(key) ? "acme" : null);
    const setting = useSetting(harness, { contracts: [hub()], auth: { apiKeys }, clock });

    test("row 26: close their sockets with 4401, within 30 s", async () => {
      const client = await openHubSocket(setting);
      await subscribe(client, "mail");
      clock.pass(16_000);
      await pushEvent(setting, EVENT);
      await client.received.count(1);
      valid.clear();
      clock.pass(30_000);
      expect(await client.closed()).toBe(4401);
    });
  });

  describe("hub: keys that may only read", () => {
    const apiKeys = (key: string) => (key === API_KEY ? { tenant: "acme", scopes: ["read" as const] } : null);
    const setting = useSetting(harness, { contracts: [hub()], auth: { apiKeys } });

    test("row 4: can follow and read, and change nothing, by REST or by socket", async () => {
      const { id } = await setting.service.tenant("acme").hub.events.create({ source: "mail", sender: "ann", content: "x" });
      expect((await askHub(setting, `/notifications/${id}`)).status).toBe(200);
      expect((await askHub(setting, "/notifications/", { method: "POST", json: EVENT })).status).toBe(403);
      const client = await openHubSocket(setting);
      await subscribe(client, "mail");
      client.send({ type: "ack", notification_id: id });
      expect(await client.received.count(1)).toEqual([{ type: "error", message: "The API key may not write" }]);
      client.drop();
    });
  });

  describe("hub: a host's own authentication", () => {
    const setting = useSetting(harness, {
      contracts: [hub()],
      auth: (request) => (request.headers["x-api-key"] === "of the host" ? { kind: "client", tenant: "acme" } : null),
    });

    test("gets the socket's key in the same header as a request's", async () => {
      expect((await askHub(setting, "/notifications/", { key: "of the host" })).status).toBe(200);
      (await openHubSocket(setting, "of the host")).drop();
    });
  });

  describe("hub: how many sockets an address may have", () => {
    const setting = useSetting(harness, { contracts: [hub()], maxSocketsPerAddress: 2, logger: new LogBook() });

    test("row 25: beyond it the handshake is 429, until one is closed", async () => {
      const [first, second] = [await openHubSocket(setting), await openHubSocket(setting)];
      const handshake = () =>
        new Promise<number>((resolve) => {
          const { socket } = new SocketClient(`${setting.url}/ws?apiKey=${API_KEY}`);
          socket.on("open", () => {
            resolve(101);
            socket.terminate();
          });
          socket.on("unexpected-response", (request, response) => {
            resolve(response.statusCode ?? 0);
            request.destroy();
          });
        });
      expect(await handshake()).toBe(429);
      first.drop();
      await vi.waitFor(async () => expect(await handshake()).toBe(101), { timeout: 20_000 });
      second.drop();
    });
  });

  describe("hub: what a client may create", () => {
    const consume = async () => {
      throw Object.assign(new Error("used up"), { msBeforeNext: 2_000 });
    };
    const setting = useSetting(harness, { contracts: [hub()], rateLimiter: { consume } });

    test("beyond the limit it is 429 with Retry-After, and nothing is stored", async () => {
      const answer = await askHub(setting, "/notifications/", { method: "POST", json: EVENT });
      expect([answer.status, answer.headers.get("retry-after"), Object.keys(answer.body as object)]).toEqual([429, "2", ["detail"]]);
      expect((await askHub(setting, "/notifications/")).body).toEqual([]);
    });
  });
}
