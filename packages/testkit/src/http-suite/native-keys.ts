import { defineTypes } from "@belfry/core";
import { native, nativeKeys } from "@belfry/core/contracts";
import { describe, expect, test } from "vitest";
import { type Answer, type Ask, ask } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { scriptedChannels } from "./scripted-channels.ts";
import { API_KEY, OTHER_API_KEY, useSetting } from "./setting.ts";

const WAIT = { timeout: 30_000, interval: 10 };
const UNKNOWN = "01920000-0000-7000-8000-000000000000";
const ISO = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);

const types = defineTypes({
  notification: { label: "Notification" },
  comment: { label: "New comment", category: "social", channels: { inbox: { optional: true } } },
  invoice: { label: "Invoice", category: "billing", channels: ["email"] },
});

/** Tests every endpoint, parameter, status and error of `nativeKeys`, beside `native`. */
export function nativeKeysSuite(harness: HttpHarness): void {
  describe("native-keys", () => {
    const channels = scriptedChannels();
    const contracts = [native(), nativeKeys()];
    const setting = useSetting(harness, { contracts }, {}, { types, channels: [channels.email, channels.webhook] });

    const call = (method: string, path: string, { headers, ...more }: Ask = {}): Promise<Answer> =>
      ask(`${setting.url}/api/belfry/v1${path}`, { method, ...more, headers: { "x-api-key": API_KEY, ...headers } });
    const create = async (json: object, headers: Readonly<Record<string, string>> = {}) => {
      const { status, body } = await call("POST", "/notifications", { json, headers });
      expect([status, body]).toMatchObject([201, { id: expect.any(String) }]);
      return body as { readonly id: string; readonly items: readonly { readonly userId: string; readonly seq: number }[] };
    };
    const inbox = (userId: string) => setting.service.tenant("acme").inbox(userId);

    test("a notification for users is in their inboxes at once, with all that its sender named", async () => {
      const named = { url: "/posts/7", actor: "bob", source: "blog", group: "post 7", priority: "high" } as const;
      const texts = { title: "Hello", message: "Text", data: { post: 7 }, actions: [{ label: "Open", url: "/posts/7" }] };
      const answer = await create({ to: ["u1", "u2"], except: "u2", type: "comment", ...named, ...texts, roomId: "lobby" });
      expect(answer).toEqual({ id: expect.any(String), type: "comment", createdAt: ISO, items: [{ userId: "u1", seq: 1 }] });
      const data = { ...texts.data, room_id: "lobby" };
      expect(await inbox("u1").get(answer.id)).toMatchObject({ ...named, ...texts, data, category: "social" });
      expect((await inbox("u2").counts()).total).toBe(0);
    });

    test("subscribers of a topic are listed in pages, get what is created for it, and no more of it once they are removed", async () => {
      const topic = "post:7/replies";
      const subscribed = await call("POST", "/subscribers", {
        json: { topic, users: ["s1", "s2", "s3"], deep: true, channels: ["inbox"] },
      });
      expect([subscribed.status, subscribed.body]).toEqual([200, { subscribed: 3 }]);
      const of = `?topic=${encodeURIComponent(topic)}&limit=2`;
      const first = (await call("GET", `/subscribers${of}`)).body as { readonly nextCursor: string };
      const subscriber = { deep: true, channels: ["inbox"], createdAt: ISO };
      expect(first).toEqual({
        subscribers: ["s1", "s2"].map((userId) => ({ userId, ...subscriber })),
        nextCursor: expect.any(String),
      });
      const rest = { subscribers: [{ userId: "s3", ...subscriber }], nextCursor: null };
      expect((await call("GET", `/subscribers${of}&cursor=${first.nextCursor}`)).body).toEqual(rest);
      expect(await call("GET", "/subscribers?topic=post:7&cursor=x")).toMatchObject({ status: 400, body: { code: "INVALID_CURSOR" } });
      const { items } = await create({ topic, to: "s4", except: ["s2"], title: "A reply", type: "comment" });
      expect(items.map(({ userId }) => userId)).toEqual(["s1", "s3", "s4"]);
      expect((await call("POST", "/subscribers/remove", { json: { topic, users: ["s1", "nobody"] } })).body).toEqual({ unsubscribed: 1 });
      expect((await create({ topic, title: "Another" })).items.map(({ userId }) => userId)).toEqual(["s2", "s3"]);
    });

    test("everyone gets what is for everyone", async () => {
      await create({ to: "reader", title: "First" });
      const { items } = await create({ to: "everyone", title: "News" });
      expect(items).toEqual([]);
      expect((await inbox("reader").list()).items.map(({ title }) => title)).toContain("News");
    });

    test("a notification with deliveries is tracked, retried where it failed, and a key makes it once", async () => {
      const body = { to: { email: "gone@example.com" }, type: "invoice", title: "Invoice", message: "Attached" };
      const { id } = await create(body, { "idempotency-key": "once" });
      expect((await create({ ...body }, { "idempotency-key": "once" })).id).toBe(id);
      const other = await call("POST", "/notifications", { json: { ...body, title: "Other" }, headers: { "idempotency-key": "once" } });
      expect(other).toMatchObject({ status: 422, body: { code: "IDEMPOTENCY_KEY_REUSED" } });
      const status = async () => ((await call("GET", `/notifications/${id}`)).body as { readonly status: string }).status;
      await expect.poll(status, WAIT).toBe("failed");
      expect((await call("GET", `/notifications/${id}`)).body).toMatchObject({
        ...{ id, type: "invoice", title: "Invoice", message: "Attached", channels: ["email"], recipients: ["gone@example.com"] },
        ...{ attempts: 1, hasFallback: false, fallbackUsed: false, scheduledAt: null, deliveredAt: null, failedAt: ISO },
      });
      const { body: listed } = await call("GET", `/notifications/${id}/deliveries?limit=1`);
      expect(listed).toMatchObject({
        total: 1,
        deliveries: [
          {
            ...{ channel: "email", recipient: "gone@example.com", recipientKind: "address", isFallback: false, status: "failed" },
            attempts: [{ attempt: 1, status: "failed", provider: "email", response: "410", error: "It is gone." }],
          },
        ],
      });
      expect(await call("POST", `/notifications/${id}/retry`)).toMatchObject({ status: 200, body: { id, status: "pending" } });
      await expect.poll(status, WAIT).toBe("failed");
      expect(await call("POST", `/notifications/${id}/cancel`)).toMatchObject({ status: 409, body: { code: "INVALID_STATE" } });
    });

    test("a scheduled one is cancelled before it goes out, by whom the audit log says", async () => {
      const { id } = await create({ to: { email: "a@example.com" }, title: "T", message: "M", scheduledAt: "2999-01-01T00:00:00Z" });
      expect((await call("POST", `/notifications/${id}/cancel`)).body).toMatchObject({ id, status: "cancelled", scheduledAt: ISO });
      const { audit } = await setting.service.tenant("acme").timeline(id);
      expect(audit).toContainEqual(expect.objectContaining({ action: "cancelled", actor: "client:acme" }));
      expect(await call("POST", `/notifications/${id}/retry`)).toMatchObject({ status: 409 });
    });

    test("a user's devices are registered, listed and removed, and another tenant sees none of them", async () => {
      const path = `/users/${encodeURIComponent("dora/1")}/devices`;
      const registered = await call("POST", path, { json: { platform: "expo", token: "ExponentPushToken[of-the-phone]", name: "Phone" } });
      const device = {
        id: expect.any(String),
        platform: "expo",
        tokenEnd: "phone]",
        app: null,
        name: "Phone",
        createdAt: ISO,
        seenAt: ISO,
      };
      expect([registered.status, registered.body]).toEqual([200, device]);
      const { id } = registered.body as { readonly id: string };
      expect((await call("GET", path)).body).toEqual({ devices: [device] });
      const other = { headers: { "x-api-key": OTHER_API_KEY } };
      expect((await call("GET", path, other)).body).toEqual({ devices: [] });
      expect((await call("DELETE", `${path}/${id}`, other)).status).toBe(204);
      expect((await call("GET", path)).body).toEqual({ devices: [device] });
      expect((await call("DELETE", `${path}/${id}`)).status).toBe(204);
      expect((await call("GET", path)).body).toEqual({ devices: [] });
      expect(await call("POST", path, { json: { platform: "expo", token: "x" } })).toMatchObject({ status: 422 });
    });

    test("a user is exported line by line, then deleted", async () => {
      await create({ to: "erin/1", type: "comment", title: "Kept" });
      await create({ to: { email: "erin@example.com" }, title: "Mail", message: "M" });
      const user = `/users/${encodeURIComponent("erin/1")}`;
      const exported = async () => {
        const url = `${setting.url}/api/belfry/v1${user}/export?address=erin%40example.com`;
        const response = await fetch(url, { headers: { "x-api-key": API_KEY } });
        expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/x-ndjson"]);
        const lines = (await response.text()).trimEnd().split("\n");
        return lines.map((line) => JSON.parse(line) as { readonly record: string; readonly title?: string; readonly recipient?: string });
      };
      const lines = await exported();
      expect(lines.find(({ record }) => record === "item")).toMatchObject({ title: "Kept" });
      expect(lines.find(({ record }) => record === "delivery")).toMatchObject({ recipient: "erin@example.com" });
      expect(lines.at(-1)).toEqual({ record: "end" });
      const { status, body } = await call("DELETE", `${user}?address=erin%40example.com`);
      expect([status, body]).toEqual([200, { removed: expect.any(Number) }]);
      expect(await exported()).toEqual([{ record: "end" }]);
    });

    test.each([
      ["POST /notifications", { title: "Nobody" }, 422, "VALIDATION_ERROR"],
      ["POST /notifications", { to: "a", title: "x".repeat(1_001) }, 422, "VALIDATION_ERROR"],
      ["POST /notifications", { to: "a", colour: "red" }, 422, "VALIDATION_ERROR"],
      ["POST /notifications", { to: "a", type: "unheard of" }, 422, "UNKNOWN_TYPE"],
      ["POST /notifications", { to: { email: "no address" }, title: "T", message: "M" }, 422, "INVALID_RECIPIENTS"],
      ["POST /notifications", { to: { fax: "1" }, title: "T", message: "M" }, 409, "CHANNEL_NOT_CONFIGURED"],
      ["POST /subscribers", { topic: "post:7", users: Array(1_001).fill("a") }, 422, "VALIDATION_ERROR"],
      ["POST /subscribers", { topic: "", users: ["a"] }, 422, "VALIDATION_ERROR"],
      ["GET /subscribers", undefined, 422, "VALIDATION_ERROR"],
      [`GET /notifications/${UNKNOWN}`, undefined, 404, "NOT_FOUND"],
      ["GET /notifications/none", undefined, 422, "VALIDATION_ERROR"],
      [`GET /notifications/${UNKNOWN}/deliveries?limit=101`, undefined, 422, "VALIDATION_ERROR"],
      [`POST /notifications/${UNKNOWN}/cancel`, undefined, 404, "NOT_FOUND"],
      ["PUT /notifications", undefined, 405, "METHOD_NOT_ALLOWED"],
    ])("%s of %j is %i %s", async (named, json, status, code) => {
      const [method = "", path = ""] = named.split(" ");
      const answer = await call(method, path, json === undefined ? {} : { json });
      expect([answer.status, answer.headers.get("content-type"), answer.body]).toMatchObject([
        status,
        "application/problem+json",
        { code },
      ]);
    });

    test("another tenant's key finds nothing of it, and a user's token opens none of its paths", async () => {
      const { id } = await create({ to: { email: "a@example.com" }, title: "T", message: "M" });
      const other = { headers: { "x-api-key": OTHER_API_KEY } };
      expect(await call("GET", `/notifications/${id}`, other)).toMatchObject({ status: 404 });
      expect(await call("POST", `/notifications/${id}/cancel`, other)).toMatchObject({ status: 404 });
      const user = await setting.bearer("erin");
      for (const [method, path] of [
        ["POST", "/notifications"],
        ["GET", "/users/erin/export"],
        ["DELETE", "/users/erin"],
      ] as const) {
        const { status } = await ask(`${setting.url}/api/belfry/v1${path}`, {
          method,
          headers: user,
          ...(method === "POST" && { json: {} }),
        });
        expect([method, path, [401, 404].includes(status)]).toEqual([method, path, true]);
      }
    });
  });
}
