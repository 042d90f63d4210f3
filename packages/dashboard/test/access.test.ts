import { connect, type Socket } from "node:net";
import { NotificationService } from "@belfry/core";
import { isLocalRequest } from "@belfry/core/http";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { afterEach, describe, expect, test } from "vitest";
import type { DashboardRequest } from "../src/index.ts";
import { FRAMEWORKS, type HostOptions, type RunningHost, startHost } from "./host.ts";
import { request } from "./raw-request.ts";

const hosts: RunningHost[] = [];

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

async function serve(options: Omit<HostOptions, "prefix">): Promise<{ url: string; service: NotificationService }> {
  const service = new NotificationService({ storage: sqliteStorage(":memory:") });
  const host = await startHost(service, { prefix: "/admin", ...options });
  hosts.push(host);
  return { url: host.url, service };
}

const create = { method: "POST", body: JSON.stringify({ userId: "ann", message: "Hello" }) };
const JSON_TYPE = { "content-type": "application/json" };

/** Sends a request as nginx does by default; resolves with the first line of the answer. */
function statusByHttp10(url: string): Promise<string> {
  const { host, port, pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = "";
    connect(Number(port), "127.0.0.1", function (this: Socket) {
      this.write(`GET ${pathname} HTTP/1.0\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    })
      .on("data", (chunk) => {
        text += chunk.toString();
      })
      .on("end", () => resolve(text.split("\r\n")[0] ?? ""))
      .on("error", reject);
  });
}

describe.each(FRAMEWORKS)("on %s", (framework) => {
  test("without `authorize`, the page and the API refuse a request that names another host", async () => {
    const { url } = await serve({ framework });
    for (const headers of [{ host: "evil.test" }, { host: "localhost.evil.test" }, { "x-forwarded-for": "203.0.113.7" }]) {
      const page = await request(url, { headers });
      expect(page.status).toBe(403);
      expect(page.body).toContain("authorize");
      expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
      expect((await request(`${url}/api/session`, { headers })).status).toBe(403);
      expect((await request(`${url}/api/live`, { headers })).status).toBe(403);
    }
    expect((await request(url, { headers: { host: "localhost:1234" } })).status).toBe(200);
  });

  test("without `authorize`, requests through a proxy on this machine are refused", async () => {
    const { url } = await serve({ framework });
    const traces = [
      "x-forwarded-proto",
      "x-original-url",
      "x-client-ip",
      "true-client-ip",
      "cf-connecting-ip",
      "x-real-ip",
      "forwarded",
      "via",
    ];
    for (const name of traces) {
      expect((await request(url, { headers: { [name]: "1" } })).status).toBe(403);
    }
    expect((await request(url, { headers: { origin: "https://app.example.com" } })).status).toBe(403);
    expect((await request(url, { headers: { origin: new URL(url).origin } })).status).toBe(200);
    expect(await statusByHttp10(url)).toBe("HTTP/1.1 403 Forbidden");
  });

  test("without `authorize`, the log reports the first reader, once", async () => {
    const warnings: string[] = [];
    const ignore = () => {};
    const logger = { debug: ignore, info: ignore, error: ignore, warn: (_: object, message: string) => void warnings.push(message) };
    const { url } = await serve({ framework, logger });
    await request(url, { headers: { host: "evil.test" } });
    expect(warnings).toEqual([]);
    await request(url);
    await request(`${url}/api/session`);
    expect(warnings).toEqual([expect.stringContaining("give it an `authorize`")]);
  });

  test("null from `authorize` is 403, or 401 with a challenge", async () => {
    const { url } = await serve({ framework, authorize: () => null });
    expect((await request(url)).status).toBe(403);
    expect((await request(url)).body).not.toContain("authorize");
    const asked = await serve({ framework, authorize: async () => null, challenge: 'Basic realm="Belfry"' });
    for (const address of [asked.url, `${asked.url}/api/session`]) {
      const answer = await request(address);
      expect([answer.status, answer.headers["www-authenticate"]]).toEqual([401, 'Basic realm="Belfry"']);
    }
  });

  test("somebody who may only read may not act", async () => {
    const { url, service } = await serve({ framework, authorize: () => ({ read: true, act: false, actor: "reader" }) });
    expect((await request(`${url}/api/session`)).json()).toMatchObject({ act: false, actor: "reader" });
    const answer = await request(`${url}/api/notifications`, { ...create, headers: { ...JSON_TYPE, "x-belfry-dashboard": "1" } });
    expect(answer.status).toBe(403);
    expect(answer.json()).toMatchObject({ error: { code: "FORBIDDEN", message: "You may look at this dashboard, but change nothing." } });
    expect(await service.defaultTenant.latest(10)).toEqual([]);
  });

  test("somebody who may not read may not act either", async () => {
    const { url, service } = await serve({ framework, authorize: () => ({ read: false, act: true }) });
    expect((await request(url)).status).toBe(403);
    const answer = await request(`${url}/api/notifications`, { ...create, headers: { ...JSON_TYPE, "x-belfry-dashboard": "1" } });
    expect(answer.status).toBe(403);
    expect(await service.defaultTenant.latest(10)).toEqual([]);
  });

  test("somebody who may neither read nor act sees nothing", async () => {
    const { url } = await serve({ framework, authorize: () => ({ read: false, act: false }) });
    expect((await request(url)).status).toBe(403);
    expect((await request(`${url}/api/session`)).status).toBe(403);
  });

  test("`authorize` sees the framework's own request, and chooses the tenant", async () => {
    const seen: DashboardRequest[] = [];
    const authorize = (asked: DashboardRequest) => {
      seen.push(asked);
      return { read: true, act: true, actor: "ann", tenant: asked.headers["x-tenant"] ?? "default" };
    };
    const { url, service } = await serve({ framework, authorize });
    await service.tenant("acme").create({ to: "ann", message: "of acme" });
    const answer = await request(`${url}/api/items`, { headers: { "x-tenant": "acme" } });
    expect(answer.json()).toMatchObject({ items: [{ message: "of acme" }] });
    expect((await request(`${url}/api/items`)).json()).toMatchObject({ items: [] });
    expect(seen[0]?.raw).toBeDefined();
    expect(seen[0]?.remoteAddress).toMatch(/127\.0\.0\.1$/);
  });

  test.each([
    ["", "dashboard"],
    ["  ", "dashboard"],
    ["a\u0000b\ud800", "ab\ufffd"],
    ["x".repeat(300), "x".repeat(255)],
  ])("an actor %j is in the audit log as far as it can be", async (actor, name) => {
    const { url, service } = await serve({ framework, authorize: () => ({ read: true, act: true, actor }) });
    const answer = await request(`${url}/api/notifications`, { ...create, headers: { ...JSON_TYPE, "x-belfry-dashboard": "1" } });
    expect(answer.status).toBe(201);
    const { id } = answer.json() as { id: string };
    expect((await service.operator.timeline(id)).audit).toMatchObject([{ action: "created", actor: name }]);
  });

  test("an `authorize` that throws lets nobody in", async () => {
    const lines: string[] = [];
    const log = (_: object, message: string) => void lines.push(message);
    const logger = { debug: log, info: log, warn: log, error: log };
    const authorize = () => {
      throw new Error("the session store is down");
    };
    const { url } = await serve({ framework, authorize, logger });
    const page = await request(url);
    expect([page.status, page.headers["content-type"]]).toEqual([500, "text/html; charset=utf-8"]);
    expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
    expect(page.body).toContain("could not be found out");
    expect(page.body).not.toContain("session store");
    const answer = await request(`${url}/api/session`);
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain("session store");
    expect(lines.length).toBeGreaterThan(0);
  });

  test("an `authorize` that returns nothing lets nobody in", async () => {
    const { url } = await serve({ framework, authorize: (() => {}) as unknown as () => null });
    const page = await request(url);
    expect([page.status, page.headers["content-type"]]).toEqual([403, "text/html; charset=utf-8"]);
    expect((await request(`${url}/api/session`)).status).toBe(403);
  });

  test.each([
    ["from another site", { "sec-fetch-site": "cross-site", origin: "https://evil.test" }],
    ["from a sibling of the same site", { "sec-fetch-site": "same-site" }],
    ["typed into the address bar", { "sec-fetch-site": "none" }],
    ["from another origin, of an older browser", { origin: "http://evil.test" }],
    ["from a sandboxed frame", { origin: "null" }],
    ["from nobody who says so", {}],
  ])("a change that comes %s is refused", async (_, headers) => {
    const { url, service } = await serve({ framework });
    const answer = await request(`${url}/api/notifications`, { ...create, headers: { ...JSON_TYPE, ...headers } });
    expect(answer.status).toBe(403);
    expect(answer.json()).toMatchObject({ error: { code: "FORBIDDEN" } });
    expect(await service.defaultTenant.latest(10)).toEqual([]);
  });

  test("changes from the page itself, or from a program with the header, are accepted", async () => {
    const { url } = await serve({ framework });
    const origin = new URL(url).origin;
    for (const headers of [{ "sec-fetch-site": "same-origin" }, { origin }, { "x-belfry-dashboard": "1" }]) {
      expect((await request(`${url}/api/notifications`, { ...create, headers: { ...JSON_TYPE, ...headers } })).status).toBe(201);
    }
  });

  test("a form's body is refused, whatever its headers say", async () => {
    const { url } = await serve({ framework });
    const headers = { "content-type": "text/plain", "sec-fetch-site": "same-origin" };
    expect((await request(`${url}/api/notifications`, { ...create, headers })).status).toBe(415);
  });
});

test.each([
  ["127.0.0.1", { host: "localhost" }, true],
  ["::1", { host: "[::1]:3000" }, true],
  ["::ffff:127.0.0.1", { host: "127.0.0.1:3000" }, true],
  ["127.0.0.1", { host: "app.localhost:80" }, true],
  ["127.0.0.1", { host: "evil.test" }, false],
  ["127.0.0.1", { host: "127.0.0.1.evil.test" }, false],
  ["127.0.0.1", {}, false],
  ["192.168.1.9", { host: "localhost" }, false],
  [undefined, { host: "localhost" }, false],
  ["127.0.0.1", { host: "localhost", via: "1.1 proxy" }, false],
  ["127.0.0.1", { host: "localhost", origin: "http://localhost:3000" }, true],
  ["127.0.0.1", { host: "localhost", origin: "null" }, false],
] as const)("a request from %s with %j is local: %s", (remoteAddress, headers, isLocal) => {
  expect(isLocalRequest({ headers, httpVersion: "1.1", ...(remoteAddress === undefined ? {} : { remoteAddress }) })).toBe(isLocal);
});
