import { type Channel, type DeliveryLinePage, NotificationService, type UserAddress } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Access } from "../src/index.ts";
import type { AuditPage, Json } from "../src/wire.ts";
import { FRAMEWORKS, type RunningHost, startHost } from "./host.ts";

const ADDRESS = "ann@example.com";

/** Takes mail, but for a mailbox that is full, and shows what it says. */
const email: Channel = {
  name: "email",
  retryDelaysMs: [],
  timeoutMs: 5_000,
  invalidRecipient: (recipient) => (recipient.includes("@") ? null : "is no address"),
  async preview({ title, data }) {
    return data.broken === true
      ? { problem: "the template is broken" }
      : { subject: title, text: "plain", html: `<p style="color: red">${title}</p>` };
  },
  async deliver({ address }) {
    const isFull = address.startsWith("full");
    return isFull ? { status: "failed", transient: false, error: "mailbox full", provider: "test" } : { status: "sent", provider: "test" };
  },
};

describe.each(FRAMEWORKS)("on %s", (framework) => {
  let service: NotificationService;
  let host: RunningHost;
  let access: Access;

  beforeEach(async () => {
    access = { read: true, act: true, actor: "eve" };
    const directory = (ids: readonly string[]) => new Map(ids.filter((id) => id === "ann").map((id) => [id, { email: ADDRESS }]));
    service = new NotificationService({ storage: sqliteStorage(":memory:"), channels: [email], directory });
    host = await startHost(service, { framework, prefix: "/admin", authorize: () => access });
  });

  afterEach(async () => {
    await host.close();
    await service.stop();
  });

  async function get<Answer>(path: string): Promise<Answer> {
    const response = await fetch(`${host.url}/api/${path}`);
    expect([path, response.status]).toEqual([path, 200]);
    return (await response.json()) as Answer;
  }

  function post(path: string, body: object): Promise<Response> {
    const headers = { "content-type": "application/json", "x-belfry-dashboard": "1" };
    return fetch(`${host.url}/api/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  }

  const actions = ({ lines }: Json<AuditPage>) => lines.map(({ action, actor }) => `${action} ${actor}`);

  test("the audit log is listed by actor, action, target and time, page by page, also of what is gone", async () => {
    const { id } = (await service.create({ to: "ann", title: "x" })).notification;
    await post("items/read", { userId: "ann", id });
    await service.delete(id, { actor: "fay" });
    expect(actions(await get<Json<AuditPage>>("audit"))).toEqual(["deleted fay", "read eve"]);
    expect(actions(await get<Json<AuditPage>>("audit?actor=eve"))).toEqual(["read eve"]);
    expect(actions(await get<Json<AuditPage>>("audit?action=deleted"))).toEqual(["deleted fay"]);
    expect(actions(await get<Json<AuditPage>>("audit?targetKind=user&targetId=ann"))).toEqual(["read eve"]);
    expect(actions(await get<Json<AuditPage>>(`audit?notificationId=${id}`))).toEqual(["deleted fay", "read eve"]);
    expect(actions(await get<Json<AuditPage>>("audit?until=2020-01-01T00:00:00Z"))).toEqual([]);
    const first = await get<Json<AuditPage>>("audit?limit=1");
    expect([actions(first), first.before]).toEqual([["deleted fay"], expect.any(Number)]);
    const second = await get<Json<AuditPage>>(`audit?limit=1&before=${first.before}`);
    expect([actions(second), second.before]).toEqual([["read eve"], null]);
    for (const wrong of ["action=eaten", "from=yesterday", "notificationId=7", "before=-1"]) {
      expect((await fetch(`${host.url}/api/audit?${wrong}`)).status).toBe(422);
    }
    access = { ...access, tenant: "acme" };
    expect(actions(await get<Json<AuditPage>>("audit"))).toEqual([]);
  });

  test("a user's deliveries, addresses, devices and topics are listed", async () => {
    await service.create({ to: { email: ADDRESS }, title: "By address", message: "x" });
    await service.create({ to: "ann", channels: ["inbox", "email"], title: "By id" });
    await service.create({ to: { email: "full@example.com" }, title: "To another", message: "x" });
    await service.runDue();
    await service.suppressions.add({ channel: "email", address: ADDRESS });
    await service.topics.subscribe("post:7", ["ann"], { deep: true });
    await service.devices.register("ann", { platform: "fcm", token: "a-token-of-her-phone", name: "Phone" });
    const { deliveries } = await get<Json<DeliveryLinePage>>("user-deliveries?user_id=ann");
    expect(deliveries.map(({ delivery, notification }) => `${notification.title} over ${delivery.channel}: ${delivery.status}`)).toEqual([
      "By id over email: sent",
      "By id over inbox: sent",
      "By address over email: sent",
    ]);
    const { addresses } = await get<{ addresses: Json<UserAddress>[] }>("user-addresses?user_id=ann");
    expect(addresses).toMatchObject([{ channel: "email", address: ADDRESS, suppression: { reason: "manual" }, problem: null }]);
    expect(await get("user-addresses?user_id=nobody")).toMatchObject({
      addresses: [{ channel: "email", address: null, suppression: null }],
    });
    expect(await get("user-topics?user_id=ann")).toMatchObject({ subscriptions: [{ topic: "post:7", deep: true }], nextCursor: null });
    expect(await get("user-devices?user_id=ann")).toMatchObject({ devices: [{ platform: "fcm", name: "Phone" }] });
  });

  test("a user's data is exported and deleted, by whom is in the audit log", async () => {
    await service.create({ to: "ann", title: "Hers" });
    const exported = await post("user-export", { userId: "ann", addresses: [ADDRESS] });
    expect([exported.status, exported.headers.get("content-type")]).toEqual([200, "application/x-ndjson"]);
    const records = (await exported.text())
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { record: string }).record);
    expect([records[0], records.at(-1)]).toEqual(["item", "end"]);
    access = { read: true, act: false, actor: "bob" };
    for (const path of ["user-export", "user-delete"]) {
      expect((await post(path, { userId: "ann" })).status).toBe(403);
    }
    access = { read: true, act: true, actor: "eve" };
    expect((await post("user-delete", { userId: "" })).status).toBe(422);
    const deleted = await post("user-delete", { userId: "ann", addresses: [ADDRESS] });
    expect([deleted.status, await deleted.json()]).toEqual([200, { removed: expect.any(Number) }]);
    expect(await service.inbox("ann").counts()).toMatchObject({ total: 0 });
    expect(actions(await get<Json<AuditPage>>("audit?actor=eve"))).toEqual(["user_deleted eve", "user_exported eve"]);
  });

  test("deliveries of a notification to many come page by page, failures alone if asked, and the timeline has the first and their counts", async () => {
    const to = Array.from({ length: 30 }, (_, index) => `${index % 10 === 3 ? "full" : "user"}${index}@example.com`);
    const { id } = (await service.create({ channels: ["email"], to, title: "Many", message: "x" })).notification;
    await service.runDue();
    const activity = await get<Json<{ deliveries: unknown[]; chains: object }>>(`activity/${id}?deliveries=5`);
    expect([activity.deliveries.length, activity.chains]).toEqual([5, expect.objectContaining({ sent: 27, failed: 3 })]);
    const first = await get<Json<DeliveryLinePage>>(`activity/${id}/deliveries?limit=20`);
    const second = await get<Json<DeliveryLinePage>>(`activity/${id}/deliveries?limit=20&cursor=${first.nextCursor}`);
    expect([...first.deliveries, ...second.deliveries].map(({ delivery }) => delivery.recipient)).toEqual(to);
    const failed = await get<Json<DeliveryLinePage>>(`activity/${id}/deliveries?failing=true`);
    expect(failed.deliveries.map(({ delivery }) => `${delivery.recipient} ${delivery.attempts[0]?.error}`)).toEqual([
      ...["full3@example.com mailbox full", "full13@example.com mailbox full", "full23@example.com mailbox full"],
    ]);
    expect((await fetch(`${host.url}/api/activity/${id}/deliveries?cursor=zzz`)).status).toBe(400);
  });

  test("a message is shown as it would be sent, its HTML in a document in which nothing runs", async () => {
    const { id } = (await service.create({ to: { email: ADDRESS }, title: "Hello", message: "x" })).notification;
    const broken = (await service.create({ to: { email: ADDRESS }, title: "Hello", message: "x", data: { broken: true } })).notification;
    const deliveryOf = async (of: string) => (await service.deliveries(of)).deliveries[0]?.id ?? "";
    const html = '<p style="color: red">Hello</p>';
    expect(await get(`deliveries/${await deliveryOf(id)}/preview`)).toEqual({ subject: "Hello", text: "plain", html });
    const mail = await fetch(`${host.url}/api/deliveries/${await deliveryOf(id)}/mail`);
    expect([mail.status, mail.headers.get("content-type"), await mail.text()]).toEqual([200, "text/html; charset=utf-8", html]);
    expect(mail.headers.get("content-security-policy")).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox",
    );
    expect([mail.headers.get("x-frame-options"), mail.headers.get("x-content-type-options"), mail.headers.get("cache-control")]).toEqual([
      ...["SAMEORIGIN", "nosniff", "no-store"],
    ]);
    const refused = await fetch(`${host.url}/api/deliveries/${await deliveryOf(broken.id)}/preview`);
    expect([refused.status, await refused.text()]).toEqual([409, expect.stringContaining("the template is broken")]);
    expect((await fetch(`${host.url}/api/deliveries/00000000-0000-7000-8000-000000000000/mail`)).status).toBe(404);
    access = { ...access, tenant: "acme" };
    expect((await fetch(`${host.url}/api/deliveries/${await deliveryOf(id)}/preview`)).status).toBe(404);
  });
});
