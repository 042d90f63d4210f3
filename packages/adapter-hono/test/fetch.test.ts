import { createRequire } from "node:module";
import { BelfryError, NotificationService } from "@belfry/core";
import { django, inboxV1, pack } from "@belfry/core/contracts";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { Hono } from "hono";
import { SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { honoBelfry } from "../src/index.ts";

const SECRET = "a-secret-of-the-hono-adapter-tests";
const errors: unknown[] = [];
const logger = { error: (details: unknown) => void errors.push(details), warn() {}, info() {}, debug() {} };
let service: NotificationService;

const belfryOf = (basePath = "") =>
  honoBelfry(service, {
    contracts: [inboxV1(), django(), pack({ auth: "open" })],
    auth: { jwt: { secret: SECRET }, tokens: { t: "ann" } },
    maxBodyBytes: 1_000,
    basePath,
    logger,
  });

const bearer = async () => ({
  authorization: `Bearer ${await new SignJWT().setProtectedHeader({ alg: "HS256" }).setSubject("ann").setExpirationTime("1h").sign(new TextEncoder().encode(SECRET))}`,
});

const json = (body: string) => ({ method: "POST", body, headers: { "content-type": "application/json" } });
const create = json('{"user_id":"ann","content":"Zoë"}');

beforeEach(() => {
  service = new NotificationService({ storage: sqliteStorage(":memory:"), logger });
  errors.length = 0;
});
afterEach(() => service.stop());

describe("honoBelfry without a Node server", () => {
  test("a handler of errors of the host's answers the status of an error of Belfry's", async () => {
    const app = new Hono().route("/", belfryOf());
    app.post("/wrong", async (context) => context.json(await service.create({ to: "", title: "Hello" })));
    app.onError((error, context) =>
      error instanceof BelfryError ? context.json({ error: error.code }, error.status) : context.text("Internal Server Error", 500),
    );
    const answer = await app.request("/wrong", { method: "POST" });
    expect([answer.status, await answer.json()]).toEqual([422, { error: "VALIDATION_ERROR" }]);
  });

  test("REST works as a pure function of requests", async () => {
    const app = new Hono().route("/", belfryOf());
    expect(await (await app.request("/api/notifications/create", create)).json()).toMatchObject({ user_id: "ann", content: "Zoë" });
    const list = await app.request("/api/v1/notifications", { headers: await bearer() });
    expect([list.status, await list.json()]).toMatchObject([200, { total: 1, unread_count: 1 }]);
    expect((await app.request("/nothing")).status).toBe(404);
  });

  test("an application of another copy of Hono mounts it too, at the root and, with `basePath`, at a prefix", async () => {
    const { Hono: Other } = createRequire(import.meta.url)("hono") as { Hono: typeof Hono };
    expect(Other).not.toBe(Hono);
    const root = new Other().route("/", belfryOf());
    expect((await root.request("/api/notifications/create", create)).status).toBe(200);
    const nested = new Other().route("/x", belfryOf("/x"));
    expect((await nested.request("/x/api/notifications/create", create)).status).toBe(200);
    expect((await nested.request("/x/nothing")).status).toBe(404);
  });

  test("absolute links have the address of the request, and none where a host is no host", async () => {
    await service.create({ to: "ann" });
    await service.create({ to: "ann" });
    const app = honoBelfry(service, {
      contracts: [django({ links: "absolute" })],
      auth: { tokens: { "a-token-of-ann-1": "ann" } },
      logger,
    });
    const request = new Request("https://api.example.com/notifications/?page_size=1", {
      headers: { authorization: "Token a-token-of-ann-1" },
    });
    expect(await (await app.request(request)).json()).toMatchObject({ next: "https://api.example.com/notifications/?page_size=1&page=2" });
    for (const [origin, start] of [
      ["http://evil.example/x?y#z", "http://evil.example"],
      ["http://a b", ""],
      [undefined, ""],
    ] as const) {
      const plain = { method: "GET", url: "/notifications/?page_size=1", headers: Object.fromEntries(request.headers) };
      const answer = await app.handler.handle({ ...plain, origin: () => origin, body: async () => new Uint8Array() });
      expect(JSON.parse(String(answer?.body))).toMatchObject({ next: `${start}/notifications/?page_size=1&page=2` });
    }
  });

  test("SSE streams, and stops following the inbox when the reader leaves", async () => {
    const app = new Hono().route("/", belfryOf());
    const response = await app.request("/api/v1/notifications/stream", { headers: await bearer() });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let text = "";
    const until = async (part: string) => {
      while (!text.includes(part)) {
        text += new TextDecoder().decode((await reader.read()).value);
      }
    };
    await until("event: inbox_state");
    await service.create({ to: "ann", title: "live" });
    await until('"title":"live"');
    await reader.cancel();
    await service.create({ to: "ann", title: "nobody reads this" });
    expect(errors).toEqual([]);
  });

  test("closing ends the streams", async () => {
    const belfry = belfryOf();
    const response = await belfry.request("/api/v1/notifications/stream", { headers: await bearer() });
    const text = response.text();
    await service.create({ to: "ann" });
    belfry.close();
    expect(await text).toMatch(/^retry: 1\d{3}\n\n/);
  });

  test("streams tell their clients to come back at different times after they were closed", async () => {
    const belfry = belfryOf();
    const random = vi.spyOn(Math, "random");
    const texts: Promise<string>[] = [];
    try {
      for (const drawn of [0, 0.5]) {
        random.mockReturnValue(drawn);
        const response = await belfry.request("/api/v1/notifications/stream", { headers: await bearer() });
        texts.push(response.text());
      }
    } finally {
      random.mockRestore();
    }
    belfry.close();
    expect((await Promise.all(texts)).map((text) => text.split("\n")[0])).toEqual(["retry: 1000", "retry: 1500"]);
  });
});

describe("honoBelfry among a host's own code", () => {
  test("the host's routes before and after it still answer, and middleware around it sees its answers", async () => {
    const app = new Hono();
    app.use(async (context, next) => {
      await next();
      context.header("x-host", "yes");
    });
    app.get("/notifications/special", (context) => context.text("the host's own"));
    app.route("/", belfryOf());
    app.get("/after", (context) => context.text("after"));
    expect(await (await app.request("/notifications/special")).text()).toBe("the host's own");
    expect(await (await app.request("/after")).text()).toBe("after");
    const answer = await app.request("/notifications/unread_count/", { headers: { authorization: "Token t" } });
    expect([answer.status, answer.headers.get("x-host"), await answer.json()]).toEqual([200, "yes", { count: 0 }]);
  });

  test.each([
    ["json", (request: { json(): Promise<unknown> }) => request.json()],
    ["text", (request: { text(): Promise<unknown> }) => request.text()],
    ["arrayBuffer", (request: { arrayBuffer(): Promise<unknown> }) => request.arrayBuffer()],
    ["blob", (request: { blob(): Promise<unknown> }) => request.blob()],
  ])("a middleware that read the body as %s leaves it whole", async (_, read) => {
    const app = new Hono();
    app.use(async (context, next) => {
      await read(context.req).catch(() => null);
      await next();
    });
    app.route("/", belfryOf());
    const answer = async (init: RequestInit) => {
      const response = await app.request("/api/notifications/create", init);
      return [response.status, await response.json()];
    };
    expect(await answer(create)).toMatchObject([200, { content: "Zoë" }]);
    expect(await answer(json('{"user_id":'))).toEqual([400, { detail: "The body is not valid JSON in UTF-8." }]);
    expect(await answer(json(`"${"x".repeat(1_000)}"`))).toEqual([413, { detail: "The body is larger than the 1000 bytes allowed." }]);
    expect(errors).toEqual([]);
  });

  test("a body that was read past Hono is a 500, and the log says what to do", async () => {
    const app = new Hono();
    app.use(async (context, next) => {
      await context.req.raw.text();
      await next();
    });
    app.route("/", belfryOf());
    const answer = await app.request("/api/notifications/create", create);
    expect([answer.status, await answer.json()]).toEqual([500, { detail: "Internal Server Error" }]);
    expect(errors).toMatchObject([{ error: { code: "CONFIGURATION", message: expect.stringContaining("was read before Belfry") } }]);
  });

  test.each([
    ["route at /x", (app: Hono, belfry: Hono) => app.route("/x", belfry), "/x"],
    ["route within a route", (app: Hono, belfry: Hono) => app.route("/x", new Hono().route("/y", belfry)), "/x/y"],
    ["basePath", (app: Hono, belfry: Hono) => app.basePath("/x").route("/", belfry), "/x"],
    ["a parameter", (app: Hono, belfry: Hono) => app.route("/t/:tenant", belfry), "/t/some-tenant"],
    ["a path of another script", (app: Hono, belfry: Hono) => app.route("/ünï", belfry), "/%C3%BCn%C3%AF"],
  ])("below a prefix by %s, paths and links have it", async (_, mount, prefix) => {
    const app = new Hono();
    mount(app, belfryOf());
    await linksOf(app, prefix);
  });

  test("a mount as a plain fetch function takes the prefix of links from basePath", async () => {
    const app = new Hono();
    app.mount("/x", belfryOf("/x").fetch);
    await linksOf(app, "/x");
  });

  async function linksOf(app: Hono, prefix: string): Promise<void> {
    await Promise.all(Array.from({ length: 21 }, () => service.create({ to: "ann" })));
    const answer = await app.request(`${prefix}/notifications/?page=2`, { headers: { authorization: "Token t" } });
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { count: 21, next: null, previous: `${prefix}/notifications/?page=1` },
    ]);
    expect((await app.request("/notifications/", { headers: { authorization: "Token t" } })).status).toBe(404);
  }
});
