import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HOSTS, type HostDatabase, hostDatabase } from "./host-database.ts";
import { type ServerProcess, startServer } from "./run-server.ts";

const PATH = "/api/ui-dashboard/notifications-dashboard-ui";

const running: ServerProcess[] = [];
let database: HostDatabase;

afterEach(async () => {
  await Promise.all(running.splice(0).map(({ stop }) => stop()));
  await database.drop();
});

async function start(env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const server = await startServer(env);
  running.push(server);
  return server;
}

function basic(name: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}` };
}

describe.each(HOSTS)("the complete host on %s over %s", (framework, kind) => {
  beforeEach(async () => {
    database = await hostDatabase(kind);
  });
  test("serves the dashboard at its documented path, and prints its address", async () => {
    const { url, output } = await start({ FRAMEWORK: framework, DATABASE_URL: database.url });
    expect(output()).toContain(`Dashboard: ${url}${PATH}\n`);
    for (const path of [PATH, `${PATH}/`]) {
      const page = await fetch(url + path);
      expect(page.status).toBe(200);
      expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    }
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ user_id: "user_123", content: "Hello" });
    await fetch(`${url}/api/notifications/create`, { method: "POST", headers, body });
    expect(await (await fetch(`${url}${PATH}/api/items?user_id=user_123`)).json()).toMatchObject({ items: [{ message: "Hello" }] });
  });

  test("wants an API key if the pack contract does, and shows only its client's data", async () => {
    const { url, output } = await start({
      FRAMEWORK: framework,
      DATABASE_URL: database.url,
      PACK_AUTH: "apikey",
      API_KEYS: "k=1=acme,k2=other",
    });
    expect(output()).toContain("an API key as the password");
    const denied = await fetch(url + PATH);
    expect([denied.status, denied.headers.get("www-authenticate")]).toEqual([401, 'Basic realm="Belfry: any name, and an API key"']);
    expect((await fetch(url + PATH, { headers: basic("ann", "wrong") })).status).toBe(401);
    expect((await fetch(url + PATH, { headers: basic("ann", "k=1") })).status).toBe(200);
    const session = await fetch(`${url}${PATH}/api/session`, { headers: basic("ann", "k2") });
    expect(await session.json()).toMatchObject({ actor: "ann", tenant: "other", act: true });
  });
});
