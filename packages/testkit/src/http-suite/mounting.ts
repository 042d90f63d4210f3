import { connect } from "node:net";
import { django } from "@belfry/core/contracts";
import { describe, expect, test } from "vitest";
import { ask, jwt } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { useSetting } from "./setting.ts";
import { SocketClient } from "./socket-client.ts";

/** Tests Belfry beside the host's own routes, below a prefix, and behind the host's own JSON parser. */
export function mountingSuite(harness: HttpHarness): void {
  describe.each([
    { prefix: "", parseFirst: false },
    { prefix: "", parseFirst: true },
    { prefix: "/deep/er", parseFirst: false },
    { prefix: "/deep/er", parseFirst: true },
  ])("mounted at '$prefix', parsed first: $parseFirst", (mounting) => {
    const setting = useSetting(harness, {}, mounting);
    const root = () => setting.url.slice(0, setting.url.length - mounting.prefix.length);

    test("bodies, lists and sockets work", async () => {
      const created = await ask(`${setting.url}/api/notifications/create`, { method: "POST", json: { user_id: "u", content: "x" } });
      expect(created.status).toBe(200);
      const listed = await ask(`${setting.url}/api/v1/notifications/`, { headers: await setting.bearer("u") });
      expect(listed.body).toMatchObject({ total: 1 });
      const client = await new SocketClient(`${setting.url}/api/v1/ws/events?token=${await jwt("u")}`).ready();
      await setting.service.create({ to: "u", title: "live" });
      expect((await client.received.count(1))[0]).toMatchObject({ type: "notification_new", seq: 2 });
      client.drop();
    });

    test("an empty body with Content-Type JSON is accepted if the body is optional", async () => {
      await setting.service.create({ to: "empty" });
      const headers = { ...setting.token("empty"), "content-type": "application/json" };
      const answer = await ask(`${setting.url}/notifications/1/mark_as_read/`, { method: "POST", headers });
      expect(answer).toMatchObject({ status: 200, body: { is_read: true } });
    });

    test("links carry the prefix", async () => {
      await Promise.all(Array.from({ length: 21 }, () => setting.service.create({ to: "links" })));
      const { body } = await ask(`${setting.url}/notifications/`, { headers: setting.token("links") });
      expect((body as { next: string }).next).toBe(`${mounting.prefix}/notifications/?page=2`);
      expect((await ask(`${root()}${(body as { next: string }).next}`, { headers: setting.token("links") })).status).toBe(200);
    });

    describe("with absolute links", () => {
      const absolute = useSetting(harness, { contracts: [django({ links: "absolute" })] }, mounting);

      test("they begin with the address that the client called", async () => {
        await Promise.all(Array.from({ length: 21 }, () => absolute.service.create({ to: "links" })));
        const headers = absolute.token("links");
        const first = await ask(`${absolute.url}/notifications/`, { headers });
        expect(first.body).toMatchObject({ next: `${absolute.url}/notifications/?page=2` });
        const second = await ask((first.body as { next: string }).next, { headers });
        expect(second.body).toMatchObject({ next: null, previous: `${absolute.url}/notifications/?page=1` });
      });
    });

    test("V7: a whole URL as the target is its path, whatever its host; HTTP/1.0 needs no Host", async () => {
      await setting.service.create({ to: "raw", title: "Hello" });
      const { host, pathname } = new URL(`${setting.url}/api/v1/notifications`);
      const { authorization } = await setting.bearer("raw");
      const targets = [`http://${host}${pathname}?limit=1`, `http://other.example${pathname}`, `https://other.example${pathname}/`];
      for (const target of targets) {
        const answer = await rawAnswer(host, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${authorization}\r\n`);
        expect([target, answer]).toEqual([target, expect.stringMatching(/^HTTP\/1\.1 200 .*"total":1/s)]);
      }
      const oldest = await rawAnswer(host, `GET ${pathname} HTTP/1.0\r\nAuthorization: ${authorization}\r\n`);
      expect(oldest).toMatch(/^HTTP\/1\.1 200 .*"total":1/s);
      const socket = new URL(`${setting.url}/api/v1/ws/events?token=${await jwt("raw")}`);
      const handshake = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
      const upgraded = await rawAnswer(host, `GET ${socket.href} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\n${handshake}`);
      expect(upgraded).toMatch(/^HTTP\/1\.1 101 /);
    });

    test("V7: a whole number beyond 2^53 is the nearest one that JavaScript has", async () => {
      const text = '{"user_id":"big","content":9007199254740993}';
      const headers = { "content-type": "application/json" };
      const refused = await fetch(`${setting.url}/api/notifications/create`, { method: "POST", body: text, headers });
      expect(refused.status).toBe(422);
      await setting.service.create({ to: "big", title: "x", data: JSON.parse('{"n":9007199254740993}') });
      const listed = await ask(`${setting.url}/api/v1/notifications`, { headers: await setting.bearer("big") });
      expect(listed.body).toMatchObject({ notifications: [{ data: { n: 9_007_199_254_740_992 } }] });
    });

    test("the host answers all other paths and sockets", async () => {
      expect((await ask(`${root()}/host`)).body).toEqual({ host: true });
      expect((await ask(`${root()}/host/echo`, { method: "POST", json: { a: 1 } })).body).toEqual({ a: 1 });
      expect((await ask(`${setting.url}/api/v2/notifications`)).status).toBe(404);
      expect((await ask(`${setting.url}/api/v1/notifications/a/b/c`, { headers: await setting.bearer("u") })).status).toBe(404);
    });
  });
}

/** Sends the head of a request as it is written, and returns what came when the answer's body, or its head alone, is there. */
function rawAnswer(host: string, head: string): Promise<string> {
  const { hostname, port } = new URL(`http://${host}`);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () =>
      socket.write(`${head}${head.includes("Upgrade") ? "" : "Connection: close\r\n"}\r\n`),
    );
    let answer = "";
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      answer += text;
      if (answer.startsWith("HTTP/1.1 101 ")) {
        socket.destroy();
      }
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}
