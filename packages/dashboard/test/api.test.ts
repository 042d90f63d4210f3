import {
  type Activity,
  type ActivityPage,
  type ChannelHealth,
  type InboxItem,
  NotificationService,
  type RetriedAll,
  type Send,
  type SuppressionPage,
  type WorkHealth,
} from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Access } from "../src/index.ts";
import type { ApiError, Json } from "../src/wire.ts";
import { BreakableChannel } from "./breakable-channel.ts";
import { FRAMEWORKS, type RunningHost, startHost } from "./host.ts";

let channel: BreakableChannel;
let service: NotificationService;
let host: RunningHost;

beforeEach(async () => {
  channel = new BreakableChannel();
  service = new NotificationService({ storage: sqliteStorage(":memory:"), channels: [channel] });
  host = await startHost(service, {
    framework: "express",
    prefix: "/admin",
    parseFirst: true,
    authorize: () => ({ read: true, act: true, actor: "ann" }),
  });
});

afterEach(async () => {
  await host.close();
  await service.stop();
});

async function get<Answer>(path: string): Promise<Answer> {
  const response = await fetch(`${host.url}/api/${path}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

function post(path: string, body?: unknown): Promise<Response> {
  const headers = { "content-type": "application/json", "x-belfry-dashboard": "1" };
  return fetch(`${host.url}/api/${path}`, { method: "POST", headers, body: body === undefined ? null : JSON.stringify(body) });
}

async function failingSend(): Promise<Send> {
  const { notification } = await service.create({ channels: ["sms"], to: "+4911", title: "Code", message: "1234" });
  await service.runDue();
  return service.get(notification.id);
}

describe("the inbox", () => {
  test("a created notification is in the user's inbox, in the list of all users, and in the audit log", async () => {
    const created = await post("notifications", { userId: "bob", message: "Hello <b>Bob</b>", title: "Greeting", type: "greeting" });
    expect(created.status).toBe(201);
    const { id } = (await created.json()) as { id: string };
    const { items } = await get<{ items: Json<InboxItem>[] }>("items?user_id=bob");
    expect(items).toMatchObject([{ id, userId: "bob", title: "Greeting", message: "Hello <b>Bob</b>", type: "greeting", readAt: null }]);
    expect(await get("items")).toMatchObject({ items: [{ id }] });
    expect((await service.operator.timeline(id)).audit).toMatchObject([{ action: "created", actor: "ann" }]);
  });

  test("marking an item as read changes the counts once, and is in the audit log", async () => {
    const { notification } = await service.create({ to: ["bob", "eve"], message: "one" });
    await service.create({ to: "bob", message: "two" });
    expect(await get("counts?user_id=bob")).toEqual({ total: 2, unread: 2 });
    const first = await post("items/read", { userId: "bob", id: notification.id });
    const { readAt } = (await first.json()) as Json<InboxItem>;
    expect(readAt).not.toBe(null);
    expect(await (await post("items/read", { userId: "bob", id: notification.id })).json()).toMatchObject({ readAt });
    expect(await get("counts?user_id=bob")).toEqual({ total: 2, unread: 1 });
    expect(await get("counts?user_id=eve")).toEqual({ total: 1, unread: 1 });
    expect(await get("items?user_id=bob&status=unread")).toMatchObject({ items: [{ message: "two" }] });
    expect(await get("items?status=read")).toMatchObject({ items: [{ userId: "bob", message: "one" }], unread: 2 });
    expect((await service.operator.timeline(notification.id)).audit).toMatchObject([{ action: "read" }]);
    expect((await service.operator.timeline(notification.id)).audit).toHaveLength(1);
  });

  test("an item of another user is refused, an unknown one not found", async () => {
    const { notification } = await service.create({ to: "bob", message: "private" });
    expect((await post("items/read", { userId: "eve", id: notification.id })).status).toBe(403);
    expect((await post("items/read", { userId: "bob", id: "00000000-0000-7000-8000-000000000000" })).status).toBe(404);
  });

  test("user ids are taken as they are", async () => {
    const userId = "a/b c&d=%2F?ü@example.com";
    await post("notifications", { userId, message: "odd" });
    expect(await get(`items?user_id=${encodeURIComponent(userId)}`)).toMatchObject({ items: [{ userId }] });
    expect(await get(`counts?user_id=${encodeURIComponent(userId)}`)).toMatchObject({ unread: 1 });
  });
});

describe("the operator's view", () => {
  test("a search filters and pages, and its count agrees", async () => {
    for (const to of ["bob", "eve", "bob"]) {
      await service.create({ to, type: "comment", message: `for ${to}` });
    }
    const first = await get<Json<ActivityPage>>("activity?recipient=bob&type=comment&limit=1");
    expect(first.notifications).toHaveLength(1);
    const second = await get<Json<ActivityPage>>(`activity?recipient=bob&type=comment&limit=1&cursor=${first.nextCursor}`);
    expect(second.notifications).toHaveLength(1);
    expect(second.notifications[0]?.id).not.toBe(first.notifications[0]?.id);
    expect(await get("activity-count?recipient=bob")).toEqual({ count: 2 });
    expect(await get("activity-count?recipient=bob&from=2099-01-01T00:00:00Z")).toEqual({ count: 0 });
  });

  test("a timeline has every attempt with the provider's answer", async () => {
    const { id } = await failingSend();
    const activity = await get<Json<Activity>>(`activity/${id}`);
    expect(activity.summary).toMatchObject({ id, kind: "send", status: "failed" });
    expect(activity.deliveries).toMatchObject([
      { channel: "sms", status: "failed", attempts: [{ attempt: 1, error: "The gateway has no signal." }] },
    ]);
    expect((await fetch(`${host.url}/api/activity/00000000-0000-7000-8000-000000000000`)).status).toBe(404);
  });

  test("a retry is in the audit log; a refused retry says why", async () => {
    const { id } = await failingSend();
    channel.isBroken = false;
    expect((await post(`sends/${id}/retry`)).status).toBe(200);
    await service.runDue();
    expect(await service.get(id)).toMatchObject({ status: "delivered" });
    const again = await post(`sends/${id}/retry`);
    expect(again.status).toBe(409);
    expect((await again.json()) as ApiError).toMatchObject({ error: { code: "INVALID_STATE" } });
    const { audit } = await service.operator.timeline(id);
    expect(audit.at(-1)).toMatchObject({ action: "retried", actor: "ann" });
  });

  test("a scheduled send is cancelled, and a test is sent", async () => {
    const scheduledAt = new Date(Date.now() + 3_600_000);
    const {
      notification: { id },
    } = await service.create({ channels: ["sms"], to: "+4911", message: "later", scheduledAt });
    expect(await (await post(`sends/${id}/cancel`)).json()).toMatchObject({ status: "cancelled" });
    channel.isBroken = false;
    const sent = await post("sends", { channel: "sms", to: "+4912", title: "Test", message: "Hello" });
    expect(sent.status).toBe(201);
    const { id: testId } = (await sent.json()) as Json<Send>;
    await service.runDue();
    expect(await service.get(testId)).toMatchObject({ type: "test", status: "delivered" });
    expect((await service.operator.timeline(testId)).audit).toMatchObject([{ action: "created", actor: "ann" }]);
    const unknown = await post("sends", { channel: "pigeon", to: "+4912" });
    expect([unknown.status, await unknown.json()]).toMatchObject([409, { error: { message: expect.stringContaining("inbox, sms") } }]);
    expect(await get("channels")).toEqual({
      channels: [
        { name: "inbox", takes: "users", devices: [], hasPreview: false, isConfigured: true },
        { name: "sms", takes: "telephone numbers, such as +4912345", devices: [], hasPreview: false, isConfigured: true },
      ],
    });
  });

  test("all failed sends that match are retried within the limit, and counted before and after", async () => {
    for (let count = 0; count < 5; count += 1) {
      await failingSend();
    }
    await service.create({ to: "bob", message: "no send" });
    expect(await get("retries?channel=sms")).toEqual({ matched: 5 });
    expect(await get("retries?channel=email")).toEqual({ matched: 0 });
    channel.isBroken = false;
    const first = (await (await post("retries?channel=sms", { limit: 3 })).json()) as RetriedAll;
    expect(first).toMatchObject({ matched: 5, retried: 3, remaining: 2, nextCursor: expect.any(String) });
    const second = await post("retries?channel=sms", { cursor: first.nextCursor });
    expect(await second.json()).toEqual({ matched: 2, retried: 2, remaining: 0, nextCursor: null });
    await service.runDue();
    expect(await get("activity-count?status=delivered")).toEqual({ count: 5 });
  });

  test("health has figures for each channel", async () => {
    await failingSend();
    const { channels } = await get<{ channels: Json<ChannelHealth>[] }>("health?range=1h");
    const sms = channels.find((one) => one.channel === "sms");
    expect(sms).toMatchObject({ succeeded: 0, failed: 1 });
    expect(sms?.buckets).toHaveLength(60);
  });

  test("health has the work in the background", async () => {
    const { work } = await get<{ work: Json<WorkHealth> }>("health?range=1h");
    expect(work.workers.map(({ name }) => name)).toEqual(["digests", "deliveries", "processing records"]);
    expect(work.digests).toEqual({ waiting: 0, due: 0, oldestDueAt: null });
    expect(work.hub.buckets).toHaveLength(60);
  });
});

test.each([
  ["notifications", { userId: "", message: "x" }],
  ["notifications", { userId: "bob" }],
  ["notifications", { userId: "bob", message: "nul \u0000" }],
  ["notifications", { userId: "bob", message: 7 }],
  ["sends", { channel: "sms" }],
  ["retries", { limit: 0 }],
  ["retries", { limit: 100_000 }],
  ["retries?status=lost", {}],
])("POST %s with %j is refused with what is wrong", async (path, body) => {
  const response = await post(path, body);
  expect(response.status).toBe(422);
  const { error } = (await response.json()) as ApiError;
  expect(error.code).toBe("VALIDATION_ERROR");
  expect(error.issues.length).toBeGreaterThan(0);
});

test.each(["items?limit=0", "items?limit=101", "activity?limit=1000000000", "activity?from=yesterday", "health?range=1y", "counts"])(
  "GET %s is refused",
  async (path) => {
    expect((await fetch(`${host.url}/api/${path}`)).status).toBe(422);
  },
);

test("an invalid time is refused in words for people", async () => {
  const response = await fetch(`${host.url}/api/activity?from=nonsense`);
  expect((await response.json()) as ApiError).toMatchObject({
    error: { message: "from: is no time; give one as ISO 8601, for example 2026-01-31T12:00:00Z" },
  });
});

test("an edited cursor is refused", async () => {
  expect((await fetch(`${host.url}/api/activity?cursor=zzz`)).status).toBe(400);
});

describe("what reaches a user", () => {
  test("is explained for each channel of a type, and listed with where it comes from", async () => {
    await service.preferences.set("+4911", { all: true, channel: "sms" }, "off");
    expect(await get("explanation?user_id=%2B4911&type=code")).toMatchObject({
      channels: [
        {
          channel: "inbox",
          outcome: "deliver",
          reason: "due",
          rules: [{ rule: "expiry", decision: null }, {}, {}, {}, {}, {}, {}, {}, {}],
        },
      ],
    });
    expect(await get("preferences?user_id=%2B4911")).toMatchObject({
      types: [],
      choices: [{ scope: "all", channel: "sms", value: "off" }],
    });
    for (const path of ["explanation?type=code", "explanation?user_id=ann", "preferences"]) {
      expect((await fetch(`${host.url}/api/${path}`)).status).toBe(422);
    }
  });
});

describe.each(FRAMEWORKS)("suppressed addresses on %s", (framework) => {
  let access: Access;

  beforeEach(async () => {
    await host.close();
    access = { read: true, act: true, actor: "ann", tenant: "acme" };
    host = await startHost(service, { framework, prefix: "/admin", authorize: () => access });
  });

  test("are added, listed page by page as they match, and lifted, all in the reader's tenant and name", async () => {
    const { suppressions, operator } = service.tenant("acme");
    await service.suppressions.add({ channel: "sms", address: "+4910" });
    await suppressions.add({ channel: "sms", address: "+4911", reason: "complaint", actor: "gateway" });
    await suppressions.add({ channel: "email", address: "+4912" });
    const place = { channel: "sms", address: "+4913" };
    const added = await post("suppressions", { ...place, detail: "Asked us by phone." });
    const shown = { ...place, reason: "manual", actor: "ann", detail: "Asked us by phone.", createdAt: expect.any(String) };
    expect([added.status, await added.json()]).toEqual([201, shown]);
    expect(await get("suppressions?prefix=%2B49&channel=sms&reason=manual")).toEqual({ suppressions: [shown], nextCursor: null });
    const first = await get<Json<SuppressionPage>>("suppressions?prefix=%2B49&limit=2");
    expect(first.suppressions.map(({ address, actor }) => [address, actor])).toEqual([
      ["+4911", "gateway"],
      ["+4912", "host"],
    ]);
    expect(await get(`suppressions?prefix=%2B49&limit=2&cursor=${first.nextCursor}`)).toEqual({ suppressions: [shown], nextCursor: null });
    for (const lifted of [true, false]) {
      expect(await (await post("suppressions/lift", place)).json()).toEqual({ lifted });
    }
    expect(await suppressions.get("sms", "+4913")).toBe(null);
    expect((await operator.auditLog({ limit: 2 })).map(({ action, actor }) => [action, actor])).toEqual([
      ["lifted", "ann"],
      ["suppressed", "ann"],
    ]);
  });

  test("can be read, but not changed, by who may not act, nor from another site", async () => {
    const place = { channel: "sms", address: "+4911" };
    const { suppressions } = service.tenant("acme");
    await suppressions.add(place);
    const fromElsewhere = { "content-type": "application/json", "sec-fetch-site": "cross-site", origin: "https://evil.test" };
    for (const path of ["suppressions", "suppressions/lift"]) {
      const init = { method: "POST", headers: fromElsewhere, body: JSON.stringify({ ...place, address: "+4912" }) };
      expect((await fetch(`${host.url}/api/${path}`, init)).status).toBe(403);
      expect((await post(path, { channel: "sms", address: "" })).status).toBe(422);
    }
    access = { read: true, act: false, tenant: "acme" };
    expect((await post("suppressions", { ...place, address: "+4912" })).status).toBe(403);
    expect((await post("suppressions/lift", place)).status).toBe(403);
    expect(await get("suppressions")).toMatchObject({ suppressions: [place] });
    expect((await fetch(`${host.url}/api/suppressions?reason=whim`)).status).toBe(422);
    expect((await fetch(`${host.url}/api/suppressions?cursor=zzz`)).status).toBe(400);
  });
});
