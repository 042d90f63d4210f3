import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { afterEach, describe, expect, test } from "vitest";
import { DASHBOARD_ACTIONS } from "../src/index.ts";
import { FRAMEWORKS, type HostOptions, type RunningHost, startHost } from "./host.ts";
import { request } from "./raw-request.ts";

const hosts: RunningHost[] = [];

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

async function serve(options: HostOptions): Promise<RunningHost> {
  const host = await startHost(new NotificationService({ storage: sqliteStorage(":memory:") }), options);
  hosts.push(host);
  return host;
}

const PREFIXES = ["", "/admin", "/api/ui-dashboard/notifications-dashboard-ui"];

describe.each(FRAMEWORKS)("on %s", (framework) => {
  describe.each(PREFIXES)("at %j", (prefix) => {
    test("the page answers with and without a trailing slash", async () => {
      const { url } = await serve({ framework, prefix });
      for (const address of [url, `${url}/`, `${url}/?view=search&status=failed`]) {
        const response = await fetch(address);
        expect(response.status).toBe(200);
        expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
        expect(response.headers.get("cache-control")).toBe("no-store");
        expect(await response.text()).toContain('<div id="app">');
      }
    });

    test("every file that the page names is served immutable and compressed", async () => {
      const { url } = await serve({ framework, prefix });
      const page = await (await fetch(url)).text();
      const links = [...page.matchAll(/(?:src|href)="(\?asset=[^"]+)"/g)].map(([, link = ""]) => link);
      const kinds = new Set(links.map((link) => link.replace(/-([0-9a-f]{12}|[0-9A-Z]{8})/, "")));
      expect([...kinds].sort()).toEqual(["?asset=app.js", "?asset=chunk.js", "?asset=icon.svg", "?asset=style.css"]);
      for (const link of links) {
        const response = await fetch(new URL(link, `${url}/`));
        expect(response.status).toBe(200);
        expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
        expect(response.headers.get("content-encoding")).toBe("gzip");
        expect(response.headers.get("x-content-type-options")).toBe("nosniff");
        const plain = await fetch(new URL(link, `${url}/`), { headers: { "accept-encoding": "identity" } });
        expect(plain.headers.get("content-encoding")).toBe(null);
        expect(await plain.text()).toBe(await response.text());
      }
    });

    test("the API answers below the page, and the host's own routes beside it", async () => {
      const { url, port } = await serve({ framework, prefix });
      const session = await fetch(`${url}/api/session`);
      const rights = { act: true, actions: [...DASHBOARD_ACTIONS] };
      expect(await session.json()).toEqual({ actor: "dashboard", tenant: "default", tenants: ["default"], ...rights, types: [] });
      expect(await (await fetch(`http://127.0.0.1:${port}/host`)).json()).toEqual({ host: true });
      expect((await fetch(`${url}/api/nothing`)).status).toBe(404);
      expect((await fetch(`${url}/nothing`)).status).toBe(404);
      if (framework === "hono") {
        expect((await fetch(`${url}/nothing`)).headers.get("x-content-type-options")).toBe("nosniff");
      }
    });
  });

  test("the page's policy allows only its own files", async () => {
    const { url } = await serve({ framework, prefix: "/admin" });
    const { headers } = await fetch(url);
    expect(headers.get("content-security-policy")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("x-frame-options")).toBe("DENY");
  });

  test("browsers take no answer for another content type", async () => {
    const { url } = await serve({ framework, prefix: "/admin" });
    for (const path of ["", "/api/session", "/api/nothing", "/api/live", "?asset=nothing"]) {
      const controller = new AbortController();
      const { headers } = await fetch(url + path, { signal: controller.signal });
      expect([path, headers.get("x-content-type-options")]).toEqual([path, "nosniff"]);
      controller.abort();
    }
  });

  test("the page has no code, style or handler inside the document", async () => {
    const { url } = await serve({ framework, prefix: "/admin" });
    const page = await (await fetch(url)).text();
    expect(page).not.toMatch(/<style|style=|\son\w+=|<script(?![^>]*\ssrc=)/i);
    expect(page).not.toMatch(/https?:\/\//);
  });

  test("a HEAD request is answered as a GET without its body, and a POST to the page is refused", async () => {
    const { url } = await serve({ framework, prefix: "/admin" });
    const head = await fetch(url, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const refused = await fetch(url, { method: "POST" });
    expect([refused.status, refused.headers.get("x-content-type-options")]).toEqual([405, "nosniff"]);
  });

  test("TRACE is refused on the page and below it, as any other method", async () => {
    const { url } = await serve({ framework, prefix: "/admin" });
    for (const path of ["", "/", "/api/session", "/api/notifications"]) {
      expect([path, (await request(`${url}${path}`, { method: "TRACE", headers: { "x-belfry-dashboard": "1" } })).status]).toEqual([
        path,
        405,
      ]);
    }
  });

  test("a file from before an update is 404, and no cache keeps that answer", async () => {
    const { url } = await serve({ framework, prefix: "/admin" });
    for (const name of ["app-000000000000.js", "../package.json", "__proto__", ""]) {
      const response = await fetch(`${url}?asset=${encodeURIComponent(name)}`);
      expect([response.status, response.headers.get("cache-control")]).toEqual([404, "no-store"]);
    }
  });
});

test("fetch works below basePath if the router does not cut the prefix off", async () => {
  const { dashboard } = await import("../src/index.ts");
  const service = new NotificationService({ storage: sqliteStorage(":memory:") });
  const page = dashboard(service, { basePath: "/ops/", authorize: () => ({ read: true, act: false }) });
  expect((await page.fetch(new Request("http://host.test/ops"))).status).toBe(200);
  expect((await page.fetch(new Request("http://host.test/ops/"))).status).toBe(200);
  expect(await (await page.fetch(new Request("http://host.test/ops/api/session"))).json()).toMatchObject({ act: false });
  expect((await page.fetch(new Request("http://host.test/opsx"))).status).toBe(404);
  const bare = dashboard(service, { basePath: "ops", authorize: () => ({ read: true, act: false }) });
  expect((await bare.fetch(new Request("http://host.test/ops/api/session"))).status).toBe(200);
});
