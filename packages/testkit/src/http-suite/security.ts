import { describe, expect, test } from "vitest";
import { ask } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { useSetting } from "./setting.ts";

const V1 = "/api/v1/notifications";

/** Tests which requests are refused, and that a refused request changes nothing. */
export function securitySuite(harness: HttpHarness): void {
  describe("security", () => {
    const setting = useSetting(harness);

    test("row 7: a body over the limit is 413, before it is parsed", async () => {
      const raw = `{"user_id":"big","content":"${"x".repeat(1024 * 1024)}"}`;
      const answer = await ask(`${setting.url}/api/notifications/create`, {
        method: "POST",
        raw,
        headers: { "content-type": "application/json" },
      });
      expect([answer.status, Object.keys(answer.body as object)]).toEqual([413, ["detail"]]);
      expect(await setting.service.inbox("big").counts()).toMatchObject({ total: 0 });
    });

    test("row 17: JSON in text/plain is 415, and nothing happens", async () => {
      const raw = '{"user_id":"plain","content":"x"}';
      const answer = await ask(`${setting.url}/api/notifications/create`, {
        method: "POST",
        raw,
        headers: { "content-type": "text/plain" },
      });
      expect(answer.status).toBe(415);
      expect(await setting.service.inbox("plain").counts()).toMatchObject({ total: 0 });
    });

    test("rows 8, 17: invalid UTF-8, JSON nested 5,000 deep and half a document are 400", async () => {
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

    test("rows 2, 9: __proto__ and fields that callers may not set have no effect", async () => {
      const raw = '{"user_id":"proto","content":"x","__proto__":{"admin":true},"tenant_id":"other","is_read":true}';
      const answer = await ask(`${setting.url}/api/notifications/create`, {
        method: "POST",
        raw,
        headers: { "content-type": "application/json" },
      });
      expect(answer).toMatchObject({ status: 200, body: { is_read: false } });
      expect(({} as { admin?: boolean }).admin).toBeUndefined();
    });

    test("row 18: an evil origin gets no permission to read", async () => {
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
}
