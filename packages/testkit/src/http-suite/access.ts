import { deliveryV1, django, inboxV1, pack } from "@belfry/core/contracts";
import { describe, expect, test } from "vitest";
import { ask } from "./client.ts";
import { HandClock } from "./hand-clock.ts";
import type { HttpHarness } from "./harness.ts";
import { API_KEY, useSetting } from "./setting.ts";

const V1 = "/api/v1/notifications";

const CREATE = "/api/notifications/create";

/** Tests keys that Belfry keeps, their scopes, and the limits for clients. */
export function accessSuite(harness: HttpHarness): void {
  describe("API keys that Belfry keeps", () => {
    const clock = new HandClock();
    const keys: { lookup?: (key: string) => Promise<{ tenant: string } | null> } = {};
    const apiKeys = async (key: string) => (await keys.lookup?.(key)) ?? null;
    const setting = useSetting(harness, { contracts: [deliveryV1(), pack()], auth: { apiKeys }, clock });
    const create = async (scopes: readonly ("read" | "write")[] = ["read", "write"]) => {
      keys.lookup = setting.service.apiKeys.lookup;
      return setting.service.apiKeys.create({ name: "of the suite", tenant: "acme", scopes, environment: "test" });
    };
    const status = async (key: string, method = "GET") =>
      (
        await ask(`${setting.url}${method === "GET" ? V1 : CREATE}`, {
          method,
          headers: { "x-api-key": key },
          ...(method === "GET" ? {} : { json: { user_id: "u", content: "x" } }),
        })
      ).status;

    test("a key opens its tenant, and is shown once", async () => {
      const { key, id } = await create();
      expect(key).toMatch(/^belfry_test_[0-9a-f]{24}_[0-9a-f]{64}$/);
      expect([await status(key), await status(key, "POST")]).toEqual([200, 200]);
      expect((await setting.service.tenant("acme").inbox("u").counts()).total).toBeGreaterThan(0);
      const listed = await setting.service.apiKeys.list("acme");
      expect([listed.some((one) => one.id === id), JSON.stringify(listed).includes(key)]).toEqual([true, false]);
    });

    test("row 4: a key that may only read cannot write, and the other way round", async () => {
      const [read, write] = [(await create(["read"])).key, (await create(["write"])).key];
      expect([await status(read), await status(read, "POST"), await status(write), await status(write, "POST")]).toEqual([
        200, 403, 403, 200,
      ]);
    });

    test("row 6: a key that is cut, longer, of another environment, or under another key's id opens nothing", async () => {
      const { key } = await create();
      const { id } = await create();
      const [, , own = ""] = key.split("_");
      const wrong = [
        key.slice(0, -1),
        `${key}0`,
        key.replace("_test_", "_live_"),
        key.replace(own, id),
        key.toUpperCase(),
        "belfry_",
        "belfry_test_x_y",
      ];
      for (const one of wrong) {
        expect([one, await status(one)]).toEqual([one, 401]);
      }
    });

    test("a revoked key stops working", async () => {
      const { key, id } = await create();
      expect(await status(key)).toBe(200);
      await setting.service.apiKeys.revoke(id, "acme");
      expect(await status(key)).toBe(401);
      await expect(setting.service.apiKeys.revoke("unknown", "acme")).rejects.toMatchObject({ code: "NOT_FOUND" });
    });
  });

  describe("limits", () => {
    let left = 3;
    const isDown = false;
    const rateLimiter = {
      async consume(key: string) {
        if (isDown) {
          throw new Error("no store");
        }
        left -= key === "create:acme" ? 1 : 0;
        return left < 0 ? Promise.reject({ msBeforeNext: 1_500 }) : left;
      },
    };
    const setting = useSetting(harness, { contracts: [inboxV1(), deliveryV1(), django(), pack()], rateLimiter });
    const create = (path: string, json: object) =>
      ask(`${setting.url}${path}`, { method: "POST", headers: { "x-api-key": API_KEY }, json });

    test("a client that creates too much is told when to retry, in the contract's words, and can still read", async () => {
      const websocket = { type: "websocket", recipients: ["u"], content: "x" };
      const message = { user_id: "u", content: "x" };
      expect([(await create(V1, websocket)).status, (await create(CREATE, message)).status, (await create(V1, websocket)).status]).toEqual([
        201, 200, 201,
      ]);
      const refused = await create(V1, websocket);
      expect([refused.status, refused.headers.get("retry-after"), refused.body]).toMatchObject([
        429,
        "2",
        { error: { code: "RATE_LIMITED" }, status: "error" },
      ]);
      const other = await create(CREATE, message);
      expect([other.status, other.headers.get("retry-after"), Object.keys(other.body as object)]).toEqual([429, "2", ["detail"]]);
      expect((await ask(`${setting.url}${V1}`, { headers: { "x-api-key": API_KEY } })).status).toBe(200);
    });
  });
}
