import { NotificationService, systemClock, uuidV7 } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Access, DASHBOARD_ACTIONS } from "../src/index.ts";
import { filled, ROUTES } from "./every-route.ts";
import { FRAMEWORKS, type RunningHost, startHost } from "./host.ts";
import { type RawAnswer, request } from "./raw-request.ts";

const ACTING = ROUTES.filter(({ method, action }) => method !== "GET" || action !== undefined);
const ids = uuidV7(systemClock);
const FORBIDDEN_TENANT = { error: { code: "FORBIDDEN", message: "You may not look at this tenant." } };

test("every action has a route, and every route that changes something an action", () => {
  expect([...new Set(ACTING.map(({ action }) => action))].toSorted()).toEqual([...DASHBOARD_ACTIONS].toSorted());
});

describe.each(FRAMEWORKS)("on %s", (framework) => {
  let answer: unknown;
  let lines: string[];
  let service: NotificationService;
  let host: RunningHost;

  beforeEach(async () => {
    lines = [];
    const ignore = () => {};
    const logger = { debug: ignore, info: ignore, warn: ignore, error: (_: object, message: string) => void lines.push(message) };
    service = new NotificationService({ storage: sqliteStorage(":memory:") });
    host = await startHost(service, { framework, prefix: "/admin", logger, authorize: () => answer as Access });
  });

  afterEach(async () => {
    await host.close();
    await service.stop();
  });

  function ask(path: string, method = "GET", body = {}): Promise<RawAnswer> {
    const headers = { "content-type": "application/json", "x-belfry-dashboard": "1" };
    return request(`${host.url}${path}`, method === "GET" ? {} : { method, headers, body: JSON.stringify(body) });
  }

  test.each(ACTING.map((route) => [route.method, route.path, route] as const))("%s %s takes its own right", async (method, _, route) => {
    const path = filled(route, ids.next());
    const refused = `You may not do this: it takes the right "${route.action}".`;
    answer = { read: true, act: DASHBOARD_ACTIONS.filter((action) => action !== route.action) };
    const without = await ask(path, method);
    expect([without.status, without.json()]).toEqual([403, { error: { code: "FORBIDDEN", message: refused, issues: [] } }]);
    for (const act of [false, []]) {
      answer = { read: true, act };
      const looking = await ask(path, method);
      expect([looking.status, looking.body]).toEqual([403, expect.stringContaining("but change nothing")]);
    }
    answer = { read: false, act: true };
    expect((await ask(path, method)).status).toBe(403);
    for (const act of [[route.action], true]) {
      answer = { read: true, act };
      // It gets as far as what is asked for, which is nothing that is there.
      expect([403, 500]).not.toContain((await ask(path, method)).status);
    }
  });

  test("who may only look may use every other route", async () => {
    answer = { read: true, act: false };
    for (const route of ROUTES.filter(({ method, action, path }) => method === "GET" && action === undefined && path !== "/api/live")) {
      expect([route.path, [403, 500].includes((await ask(filled(route, ids.next()))).status)]).toEqual([route.path, false]);
    }
  });

  test.each([
    [{ reed: true, act: true }, '"reed"'],
    [{ read: true, act: true, actr: "ann" }, '"actr"'],
    [{ act: true }, "has as read undefined, not true or false"],
    [{ read: true }, "has as act undefined, not true, false or a list of actions"],
    [{ read: "true", act: false }, "has as read something of the type string"],
    [{ read: 1, act: false }, "has as read something of the type number"],
    [{ read: false, act: "retry" }, "has as act something of the type string"],
    [{ read: true, act: ["retry", "retyr"] }, 'has the action "retyr"; there are create, '],
    [{ read: true, act: new Set(["retry"]) }, "has as act something of the type object"],
    [{ read: true, act: true, actor: 7 }, "has as actor something of the type number, not a text"],
    [{ read: true, act: true, tenant: null }, "has as tenant null, not a text"],
    [{ read: true, act: false, tenants: ["acme"] }, "has as tenants a list"],
    [{ read: true, act: false, tenants: new Map() }, "has as tenants something of the type object"],
    [
      { read: true, act: false, tenants: { acme: { read: true, act: true, tenant: "x" } } },
      'for the tenant "acme", takes read, act; got "tenant"',
    ],
    [{ read: true, act: false, tenants: { acme: { read: true, act: ["all"] } } }, 'for the tenant "acme", has the action "all"'],
    [{ read: true, act: false, tenant: "acme", tenants: { acme: { read: true, act: true } } }, "has rights twice"],
    [true, "got boolean"],
    ["ann", "got string"],
    [[], "got "],
  ])("the answer %j lets nobody in, and the log says why", async (wrong, why) => {
    answer = wrong;
    const asked = await ask("/api/session");
    expect([asked.status, asked.body]).toEqual([500, expect.stringContaining("could not be found out")]);
    expect(asked.body).not.toContain("authorize");
    expect(lines).toContainEqual(expect.stringContaining(why));
    expect(lines.find((line) => line.includes(why))).toContain("The answer of the dashboard's authorize");
    const page = await ask("");
    expect([page.status, page.headers["content-type"]]).toEqual([500, "text/html; charset=utf-8"]);
    const created = await ask("/api/notifications", "POST", { userId: "ann", message: "Hello" });
    expect(created.status).toBe(500);
    expect(await service.defaultTenant.latest(1)).toEqual([]);
  });

  test("somebody with several tenants has in each the rights of that one, and sees no other", async () => {
    await service.tenant("acme").create({ to: "ann", message: "of acme" });
    await service.tenant("globex").create({ to: "ann", message: "of globex" });
    const tenants = { acme: { read: true, act: ["create"] }, globex: { read: true, act: false }, hidden: { read: false, act: true } };
    answer = { read: true, act: ["cancel"], actor: "ann", tenants };
    const session = { actor: "ann", tenants: ["acme", "default", "globex"], types: [] };
    expect((await ask("/api/session")).json()).toEqual({ ...session, tenant: "default", act: true, actions: ["cancel"] });
    expect((await ask("/api/session?tenant=acme")).json()).toEqual({ ...session, tenant: "acme", act: true, actions: ["create"] });
    expect((await ask("/api/session?tenant=globex")).json()).toEqual({ ...session, tenant: "globex", act: false, actions: [] });
    expect((await ask("/api/items?tenant=acme")).json()).toMatchObject({ items: [{ message: "of acme" }] });
    expect((await ask("/api/items")).json()).toMatchObject({ items: [] });
    const hello = { userId: "bob", message: "Hello" };
    expect((await ask("/api/notifications?tenant=acme", "POST", hello)).status).toBe(201);
    expect((await ask("/api/notifications?tenant=globex", "POST", hello)).status).toBe(403);
    expect((await ask("/api/notifications", "POST", hello)).status).toBe(403);
    for (const tenant of ["hidden", "other", "", "__proto__", "constructor"]) {
      for (const path of ["/api/session", "/api/items", "/api/live"]) {
        const refused = await ask(`${path}?tenant=${tenant}`);
        expect([refused.status, refused.json()]).toMatchObject([403, FORBIDDEN_TENANT]);
      }
      expect((await ask(`?tenant=${tenant}`)).status).toBe(403);
    }
    expect((await ask("?tenant=acme")).status).toBe(200);
    expect((await service.tenant("acme").latest(10)).map(({ userId }) => userId).toSorted()).toEqual(["ann", "bob"]);
    expect(await service.defaultTenant.latest(10)).toEqual([]);
  });
});
