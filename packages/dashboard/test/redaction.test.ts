import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { DashboardOptions, Redactable } from "../src/index.ts";
import { BreakableChannel } from "./breakable-channel.ts";
import { readEvents } from "./event-source.ts";
import { filled, ROUTES } from "./every-route.ts";
import { FRAMEWORKS, type RunningHost, startHost } from "./host.ts";

/** In everything that is to be struck out. */
const SECRET = /4911|canary|no signal/i;
/** What a provider would get has no parts that could be struck out one by one: it is refused. */
const WHOLE = /\/(?:preview|mail)$/;
const READING = ROUTES.filter(({ method, path }) => method === "GET" && path !== "/api/live" && path !== "/api/session");
/** Queries that routes cannot do without. */
const QUERIES: Readonly<Record<string, string>> = {
  "/api/counts": "?user_id=canary-user",
  "/api/explanation": "?user_id=canary-user&type=code",
  "/api/preferences": "?user_id=canary-user",
  "/api/recipients": "?beginning=canary",
  "/api/user-addresses": "?user_id=canary-user",
  "/api/user-deliveries": "?user_id=canary-user",
  "/api/user-devices": "?user_id=canary-user",
  "/api/user-topics": "?user_id=canary-user",
};

describe.each(FRAMEWORKS)("on %s", (framework) => {
  const hosts: RunningHost[] = [];
  let service: NotificationService;
  let lines: string[];
  let ids: { readonly message: string; readonly send: string; readonly run: string };

  beforeEach(async () => {
    lines = [];
    service = new NotificationService({ storage: sqliteStorage(":memory:"), channels: [new BreakableChannel()] });
    const content = { title: "canary title", message: "canary message", data: { code: "canary", inner: { list: ["canary"] } } };
    const { notification } = await service.create({ ...content, to: "canary-user", url: "https://example.com/canary", group: "canary:1" });
    const { notification: send } = await service.create({ ...content, to: "+4911", channels: ["sms"] });
    await service.runDue();
    await service.suppressions.add({ channel: "sms", address: "+49112", detail: "canary detail", actor: "canary-actor" });
    await service.preferences.set("canary-user", { all: true, channel: "sms" }, "off");
    const { id: run } = await service.operator.retries.start({ recipient: "+4911", type: "none" }, { actor: "canary-actor" });
    ids = { message: notification.id, send: send.id, run };
  });

  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.close()));
    await service.stop();
  });

  async function serve(redact: DashboardOptions["redact"]): Promise<string> {
    const log = (_: object, message: string) => void lines.push(message);
    const logger = { debug: () => {}, info: () => {}, warn: log, error: log };
    const authorize = () => ({ read: true, act: true, actor: "ann" });
    const options = { framework, prefix: "/admin", authorize, logger };
    const host = await startHost(service, redact === undefined ? options : { ...options, redact });
    hosts.push(host);
    return host.url;
  }

  /** Asks every reading route, for everything that there is. */
  async function everything(url: string): Promise<readonly { readonly path: string; readonly status: number; readonly body: string }[]> {
    const paths = READING.flatMap((route) => {
      const path = `${route.path.includes("{") ? "" : route.path}${QUERIES[route.path] ?? ""}`;
      return path !== ""
        ? [path]
        : route.path.startsWith("/api/retry-runs")
          ? [filled(route, ids.run)]
          : [ids.message, ids.send].map((id) => filled(route, id));
    });
    return Promise.all(
      paths.map(async (path) => {
        const answer = await fetch(`${url}${path}`);
        return { path, status: answer.status, body: await answer.text() };
      }),
    );
  }

  test("nothing of what is struck out is in any answer, and without the function all of it is", async () => {
    const seen = new Map<string, Set<string>>();
    const url = await serve(({ kind, name, reader }: Redactable) => {
      expect(reader).toMatchObject({ actor: "ann", tenant: "default" });
      seen.set(kind, new Set([...(seen.get(kind) ?? []), name]));
      return null;
    });
    for (const { path, status, body } of await everything(url)) {
      expect([path, status, SECRET.exec(body)?.[0]]).toEqual([path, WHOLE.test(path) ? 403 : 200, undefined]);
    }
    expect([...seen.keys()].toSorted()).toEqual(["actor", "address", "data", "error", "text", "title"]);
    const bare = (await everything(await serve(undefined))).map(({ body }) => body).join("");
    for (const word of [
      "+4911",
      "canary title",
      "canary message",
      "canary detail",
      "canary-user",
      "canary-actor",
      "NO SIGNAL",
      "canary:1",
    ]) {
      expect(bare).toContain(word);
    }
  });

  test("what is replaced is shown in its place, by the kind of it and by its reader", async () => {
    const url = await serve(({ kind, value, reader }) => {
      if (kind === "address" && typeof value === "string") {
        return `${value.slice(0, 2)}…`;
      }
      return kind === "data" && typeof value === "object" ? { code: reader.actor } : value;
    });
    const [item] = ((await (await fetch(`${url}/api/items`)).json()) as { items: unknown[] }).items;
    expect(item).toMatchObject({ id: ids.message, userId: "ca…", title: "canary title", data: { code: "ann" }, kind: "message" });
    const headers = { "content-type": "application/json", "x-belfry-dashboard": "1" };
    const again = await fetch(`${url}/api/sends/${ids.send}/again`, { method: "POST", headers });
    expect([again.status, await again.json()]).toMatchObject([200, { id: ids.send, recipients: ["+4…"], status: "pending" }]);
  });

  test("live events show no more than answers", async () => {
    const url = await serve(() => null);
    const reader = await readEvents(`${url}/api/live`);
    await vi.waitFor(() => expect(reader.events.map(({ name }) => name)).toContain("hello"), { timeout: 50_000 });
    const { notification } = await service.create({ to: "canary-user", title: "canary", message: "canary" });
    await vi.waitFor(() => expect(reader.events.map(({ name }) => name)).toEqual(expect.arrayContaining(["notification", "inbox"])), {
      timeout: 50_000,
    });
    const told = reader.events.find(({ name }) => name === "notification")?.data;
    expect(told).toMatchObject({
      notification: { id: notification.id, title: "[redacted]", excerpt: "[redacted]", recipients: ["[redacted]"] },
    });
    expect(JSON.stringify(reader.events)).not.toMatch(SECRET);
    reader.close();
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("canary of the function");
      },
    ],
    ["returns nothing", () => undefined],
    ["returns a promise", async () => "…"],
    ["returns a number", () => 7],
    ["returns an object for a text", () => ({})],
  ])("a function that %s shows nothing at all", async (_, redact) => {
    const url = await serve(redact);
    for (const { path, status, body } of await everything(url)) {
      expect([path, SECRET.exec(body)?.[0]]).toEqual([path, undefined]);
      // Counts, and the names of channels, have nothing to strike out.
      expect(WHOLE.test(path) ? [403] : [200, 500]).toContain(status);
    }
    const items = await fetch(`${url}/api/items`);
    expect([items.status, await items.text()]).toEqual([500, expect.stringContaining("nothing of it is shown")]);
    expect(lines).not.toEqual([]);
    const headers = { "content-type": "application/json", "x-belfry-dashboard": "1" };
    const again = await fetch(`${url}/api/sends/${ids.send}/again`, { method: "POST", headers });
    expect([again.status, await again.text()]).toEqual([500, expect.stringContaining("It is done.")]);
    expect(await service.get(ids.send)).toMatchObject({ status: "pending" });
    const reader = await readEvents(`${url}/api/live`);
    await vi.waitFor(() => expect(reader.events.map(({ name }) => name)).toContain("hello"), { timeout: 50_000 });
    await service.create({ to: "canary-user", title: "canary", message: "canary" });
    await vi.waitFor(() => expect(reader.isEnded()).toBe(true), { timeout: 50_000 });
    expect(JSON.stringify(reader.events)).not.toMatch(SECRET);
    expect(lines.filter((line) => line.includes("could not show an event"))).toHaveLength(1);
  });
});
