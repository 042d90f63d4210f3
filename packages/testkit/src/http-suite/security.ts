import { SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, test } from "vitest";
import { ask, JWT_SECRET, jwt } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { API_KEY, useSetting } from "./setting.ts";

const V1 = "/api/v1/notifications";

/** Who gets in, what is refused, and that a refused request changes nothing. */
export function securitySuite(harness: HttpHarness): void {
  describe("security", () => {
    const setting = useSetting(harness);
    const status = async (path: string, headers: Record<string, string>) => (await ask(`${setting.url}${path}`, { headers })).status;

    test("JWTs that are wrong in any way get one and the same 401", async () => {
      const secret = new TextEncoder().encode(JWT_SECRET);
      const sign = (alg: string, key: Uint8Array, build: (token: SignJWT) => SignJWT) =>
        build(new SignJWT({})).setProtectedHeader({ alg }).sign(key);
      const hour = Math.floor(Date.now() / 1_000) + 3_600;
      const tokens = [
        new UnsecuredJWT({}).setSubject("ann").setExpirationTime(hour).encode(),
        await sign("HS256", new TextEncoder().encode("another secret of the same length"), (token) =>
          token.setSubject("ann").setExpirationTime(hour),
        ),
        await sign("HS512", secret, (token) => token.setSubject("ann").setExpirationTime(hour)),
        await sign("HS256", secret, (token) => token.setSubject("ann")),
        await sign("HS256", secret, (token) => token.setExpirationTime(hour)),
        await sign("HS256", secret, (token) => token.setSubject("").setExpirationTime(hour)),
        await jwt("ann", { expiresInS: -1 }),
        `${await jwt("ann")}x`,
        "not.a.token",
      ];
      for (const token of tokens) {
        const answer = await ask(`${setting.url}${V1}`, { headers: { authorization: `Bearer ${token}` } });
        expect([answer.status, answer.headers.get("www-authenticate"), answer.body]).toEqual([
          401,
          "Bearer",
          { detail: "Could not validate credentials" },
        ]);
      }
    });

    test("without a credential a shared path answers with its user contract's 401", async () => {
      const answer = await ask(`${setting.url}${V1}`);
      expect([answer.status, answer.body]).toEqual([401, { detail: "Not authenticated" }]);
    });

    test("another contract's credential does not open a path", async () => {
      expect(await status(V1, setting.token("ann"))).toBe(401);
      expect(await status(V1, { "x-api-key": API_KEY })).toBe(401);
      expect(await status("/notifications/", await setting.bearer("ann"))).toBe(401);
      expect(await status("/notifications/", { "x-api-key": API_KEY })).toBe(401);
    });

    test("nobody reaches another user's items by any route", async () => {
      const { notification } = await setting.service.create({ to: "victim", title: "secret", type: "canary" });
      await setting.service.create({ to: "thief" });
      const bearer = await setting.bearer("thief");
      const token = setting.token("thief");
      const attempts: readonly [string, string, Record<string, string>, unknown?][] = [
        ["GET", `${V1}?user_id=victim&type=canary`, bearer],
        ["PATCH", `${V1}/${notification.id}/read`, bearer],
        ["DELETE", `${V1}/${notification.id}`, bearer],
        ["POST", `${V1}/read-all`, bearer, { user_id: "victim", tenant_id: "default" }],
        ["GET", "/notifications/?user=victim&notification_type=canary", token],
        ["GET", "/notifications/2/", token],
        ["POST", "/notifications/2/mark_as_read/", token, { is_read: true, user_id: "victim" }],
        ["POST", "/notifications/mark_all_as_read/", token],
        ["POST", "/notifications/bulk/", token, { ids: [1, 2, 3], action: "delete", user_id: "victim" }],
        ["DELETE", "/notifications/2/delete_notification/", token],
        ["DELETE", "/notifications/delete_all_read/", token],
      ];
      for (const [method, path, headers, json] of attempts) {
        const answer = await ask(`${setting.url}${path}`, { method, headers, ...(json === undefined ? {} : { json }) });
        expect(JSON.stringify(answer.body)).not.toContain("secret");
        expect(answer.status).toBeLessThan(500);
      }
      const { items, counts } = await setting.service.inbox("victim").list();
      expect([items.length, items[0]?.readAt, counts.unread]).toEqual([1, null, 1]);
    });

    test("a body over the limit is 413, before it is looked at", async () => {
      const raw = `{"user_id":"big","content":"${"x".repeat(1024 * 1024)}"}`;
      const answer = await ask(`${setting.url}/api/notifications/create`, {
        method: "POST",
        raw,
        headers: { "content-type": "application/json" },
      });
      expect([answer.status, Object.keys(answer.body as object)]).toEqual([413, ["detail"]]);
      expect(await setting.service.inbox("big").counts()).toMatchObject({ total: 0 });
    });

    test("JSON in text/plain is 415, and nothing happens", async () => {
      const raw = '{"user_id":"plain","content":"x"}';
      const answer = await ask(`${setting.url}/api/notifications/create`, {
        method: "POST",
        raw,
        headers: { "content-type": "text/plain" },
      });
      expect(answer.status).toBe(415);
      expect(await setting.service.inbox("plain").counts()).toMatchObject({ total: 0 });
    });

    test("invalid UTF-8, JSON nested 5,000 deep and half a document are 400", async () => {
      const deep = `{"user_id":"deep","content":"x","more":${"[".repeat(5_000)}${"]".repeat(5_000)}}`;
      for (const raw of [new Uint8Array([0x7b, 0xff, 0x7d]), deep, '{"user_id":']) {
        const answer = await ask(`${setting.url}/api/notifications/create`, {
          method: "POST",
          raw,
          headers: { "content-type": "application/json" },
        });
        expect([answer.status, Object.keys(answer.body as object)]).toEqual([400, ["detail"]]);
      }
    });

    test("__proto__ and fields that are none of the caller's business have no effect", async () => {
      const raw = '{"user_id":"proto","content":"x","__proto__":{"admin":true},"tenant_id":"other","is_read":true}';
      const answer = await ask(`${setting.url}/api/notifications/create`, {
        method: "POST",
        raw,
        headers: { "content-type": "application/json" },
      });
      expect(answer).toMatchObject({ status: 200, body: { is_read: false } });
      expect(({} as { admin?: boolean }).admin).toBeUndefined();
    });

    test("an evil origin gets no permission to read", async () => {
      const answer = await ask(`${setting.url}${V1}`, {
        headers: { ...(await setting.bearer("cors")), origin: "https://evil.example.com" },
      });
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    });

    test("answers are not cached and not sniffed", async () => {
      const answer = await ask(`${setting.url}${V1}`, { headers: await setting.bearer("cache") });
      expect([answer.headers.get("cache-control"), answer.headers.get("x-content-type-options")]).toEqual(["no-store", "nosniff"]);
    });
  });

  describe("a host's own authentication", () => {
    const setting = useSetting(harness, {
      auth: (request) => {
        const user = request.headers["x-user"];
        return user === undefined ? null : { kind: "user", tenant: "default", userId: user };
      },
    });

    test("opens the user contracts, and nothing for nobody", async () => {
      await setting.service.create({ to: "cookie", title: "a" });
      expect((await ask(`${setting.url}/notifications/unread_count/`, { headers: { "x-user": "cookie" } })).body).toEqual({ count: 1 });
      expect((await ask(`${setting.url}${V1}/unread-count`, { headers: { "x-user": "cookie" } })).body).toEqual({ count: 1 });
      expect((await ask(`${setting.url}${V1}/unread-count`)).status).toBe(401);
    });
  });
}
