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

    test("the host answers all other paths and sockets", async () => {
      expect((await ask(`${root()}/host`)).body).toEqual({ host: true });
      expect((await ask(`${root()}/host/echo`, { method: "POST", json: { a: 1 } })).body).toEqual({ a: 1 });
      expect((await ask(`${setting.url}/api/v2/notifications`)).status).toBe(404);
      expect((await ask(`${setting.url}/api/v1/notifications/a/b/c`, { headers: await setting.bearer("u") })).status).toBe(404);
    });
  });
}
