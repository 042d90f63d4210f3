import { request } from "node:http";
import { gzipSync } from "node:zlib";
import { deliveryV1 } from "@belfry/core/contracts";
import { describe, expect, test } from "vitest";
import { type Answer, type Ask, ask } from "./client.ts";
import { everyContract } from "./every-contract.ts";
import type { HttpHarness } from "./harness.ts";
import { LogBook } from "./log-book.ts";
import { scriptedChannels } from "./scripted-channels.ts";
import { API_KEY, suiteOptions, useSetting } from "./setting.ts";

const KEY = { "x-api-key": API_KEY };
const JSON_TYPE = { "content-type": "application/json" };
const MEBIBYTE = 1024 * 1024;

const send = { type: "websocket", recipients: ["ann"], subject: "Hello", content: "Hi" };
const event = { source_service: "shop", sender_id: "ann", content: "Hi" };
const handler = { source_service: "shop", prompt: "Answer" };
const identity = { source_service: "shop", source_id: "ann", name: "Ann" };
const message = { user_id: "ann", content: "Hi" };
const notification = { to: "ann", title: "Hello" };

/** One route of each kind of body: its path, a valid body, and the names of the texts in it. */
const WRITES = [
  ["delivery-v1", "/api/v1/notifications", send, ["subject", "content"]],
  ["hub events", "/notifications", event, ["source_service", "sender_id", "content"]],
  ["hub handlers", "/notification-handlers", handler, ["source_service", "prompt"]],
  ["hub identities", "/identities", identity, ["source_service", "source_id", "name"]],
  ["pack", "/api/notifications/create", message, ["user_id", "content"]],
] as const;

/** Objects that senders fill as they like, below a valid body. */
const OPEN_OBJECTS = [
  ["/api/v1/notifications", send, "meta"],
  ["/notifications", event, "metadata"],
  ["/notification-handlers", handler, "metadata_filter"],
  ["/identities", identity, "metadata"],
  ["/api/belfry/v1/notifications", notification, "data"],
] as const;

const BAD_TEXTS = [
  ["row 10: NUL", "a\u0000b"],
  ["row 11: half a surrogate pair", "a\ud800b"],
  ["row 11: the other half", "\udc00"],
] as const;

/** Tests requests that hope for a parser, a storage or a limit that is not ready for them. */
export function hostileSuite(harness: HttpHarness): void {
  describe("hostile input", () => {
    const channels = scriptedChannels();
    const contracts = everyContract();
    const setting = useSetting(harness, { contracts }, {}, { channels: [channels.email, channels.webhook] });
    const post = (path: string, { headers = KEY, ...more }: Ask) => ask(`${setting.url}${path}`, { method: "POST", headers, ...more });
    const postText = (path: string, raw: string | Uint8Array) => post(path, { raw, headers: { ...KEY, ...JSON_TYPE } });

    /** Counts everything that the suite's client could have stored. */
    async function stored(): Promise<readonly unknown[]> {
      const { notifications, hub: events } = await totals();
      return [notifications, events];
    }

    async function totals() {
      const list = async (path: string) => ((await ask(`${setting.url}${path}`, { headers: KEY })).body as readonly unknown[]).length;
      const sends = await ask(`${setting.url}/api/v1/notifications?limit=1`, { headers: KEY });
      return {
        notifications: (sends.body as { readonly pagination: { readonly total: number } }).pagination.total,
        hub: [await list("/notifications?limit=100"), await list("/notification-handlers?limit=100"), await list("/identities?limit=100")],
      };
    }

    async function refused(answer: Promise<Answer>, statuses: readonly number[]): Promise<void> {
      const before = await stored();
      const { status } = await answer;
      expect(statuses).toContain(status);
      expect(await stored()).toEqual(before);
    }

    test("row 2: a tenant, a client, a status or a role in the body has no effect", async () => {
      const claims = { tenant: "globex", tenant_id: "globex", client_id: "globex", status: "delivered", role: "admin", is_read: true };
      const sent = await post("/api/v1/notifications", { json: { ...send, scheduled_at: "2099-01-01T00:00:00Z", ...claims } });
      expect(sent).toMatchObject({ status: 201, body: { data: { client_id: "acme", status: "pending" } } });
      for (const [, path, body] of WRITES) {
        expect((await post(path, { json: { ...body, ...claims } })).status).toBeLessThan(300);
      }
      const theirs = setting.service.tenant("globex");
      expect([await theirs.latest(10), (await theirs.hub.events.list({})).total]).toEqual([[], 0]);
    });

    test.each(WRITES)("row 7: %s takes a body of 1 MiB, and answers one byte more with 413, unparsed", async (_, path, body) => {
      const padded = (bytes: number) => {
        const start = JSON.stringify(body).slice(0, -1);
        return `${start},"padding":"${"x".repeat(bytes - start.length - 14)}"}`;
      };
      expect(padded(MEBIBYTE)).toHaveLength(MEBIBYTE);
      expect((await postText(path, padded(MEBIBYTE))).status).toBeLessThan(300);
      await refused(postText(path, padded(MEBIBYTE + 1)), [413]);
      await refused(postText(path, "{".repeat(MEBIBYTE + 1)), [413]);
    });

    test.each(WRITES)("row 8: %s answers JSON nested 5,000 deep with 400", async (_, path, body) => {
      const deep = `${"[".repeat(5_000)}${"]".repeat(5_000)}`;
      const objects = `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`;
      for (const more of [deep, objects]) {
        await refused(postText(path, `${JSON.stringify(body).slice(0, -1)},"metadata":${more},"meta":${more}}`), [400]);
      }
    });

    test.each(OPEN_OBJECTS)("row 9: %s keeps or refuses __proto__, and changes no prototype", async (path, body, member) => {
      const hostile = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
      const { status } = await postText(path, `${JSON.stringify(body).slice(0, -1)},"${member}":${hostile},"__proto__":{"polluted":true}}`);
      expect([201, 200, 422]).toContain(status);
      expect([{}, [], () => {}].map((value) => (value as { polluted?: unknown }).polluted)).toEqual([undefined, undefined, undefined]);
    });

    describe.each(BAD_TEXTS)("%s", (name, bad) => {
      test.each(WRITES)(`${name}: refused in every text of %s`, async (_, path, body, texts) => {
        for (const field of texts) {
          await refused(post(path, { json: { ...body, [field]: bad } }), [400, 422]);
        }
      });

      test.each(OPEN_OBJECTS)(`${name}: refused in a value and in a name, %s`, async (path, body, member) => {
        for (const object of [{ a: bad }, { [bad]: 1 }, { a: [{ b: [bad] }] }]) {
          await refused(post(path, { json: { ...body, [member]: object } }), [400, 422]);
        }
      });
    });

    test.each([
      ["/api/v1/notifications?type=%00", "bearer", 422],
      ["/api/v1/notifications?type=%00", "key", 422],
      ["/api/v1/notifications?recipient=a%00", "key", 422],
      ["/api/v1/notifications/%00", "key", 404],
      ["/notifications?notification_type=a%00", "token", 400],
      ["/notifications/%00/", "token", 404],
      ["/notifications/%00/", "key", 404],
      ["/notifications?sender_id=%00", "key", 422],
      ["/identities/source/shop/a%00", "key", 422],
      ["/identities?name=%00", "key", 422],
      ["/api/notifications/unread-count/%00", "key", 422],
      ["/api/notifications/list?user_id=%00", "key", 422],
      ["/api/belfry/v1/notifications/%00", "key", 422],
      ["/api/belfry/v1/subscribers?topic=a%00", "key", 422],
      ["/api/belfry/v1/users/a%00/export", "key", 422],
    ] as const)("row 10: NUL in %s with a %s is %i", async (path, credential, status) => {
      const headers = { key: KEY, token: setting.token("ann"), bearer: await setting.bearer("ann") }[credential];
      expect((await ask(`${setting.url}${path}`, { headers })).status).toBe(status);
    });

    test("methods that `fetch` refuses to send are 405 as any other", async () => {
      for (const [method, path, headers] of [
        ["TRACE", "/api/v1/notifications", KEY],
        ["TRACE", "/notifications/", setting.token("ann")],
        ["TRACE", "/api/notifications/list", KEY],
        ["PROPFIND", "/identities", KEY],
      ] as const) {
        const status = await new Promise((resolve, reject) => {
          const sent = request(`${setting.url}${path}`, { method, headers }, (response) => {
            response.resume();
            resolve(response.statusCode);
          });
          sent.on("error", reject);
          sent.end();
        });
        expect([method, path, status]).toEqual([method, path, 405]);
      }
    });

    test("row 12: a million recipients are 413; the same one a thousand times is one", async () => {
      const million = JSON.stringify({ ...send, recipients: Array.from({ length: 1_000_000 }, (_, at) => `u${at}`) });
      await refused(postText("/api/v1/notifications", million), [413]);
      const recipients = Array.from({ length: 1_000 }, () => "once");
      expect((await post("/api/v1/notifications", { json: { ...send, recipients } })).status).toBe(201);
      expect(await setting.service.tenant("acme").inbox("once").counts()).toMatchObject({ total: 1 });
    });

    test.each(WRITES)("%s takes no compressed body", async (_, path, body) => {
      const raw = new Uint8Array(gzipSync(JSON.stringify(body)));
      await refused(post(path, { raw, headers: { ...KEY, "content-type": "application/json", "content-encoding": "gzip" } }), [415]);
    });

    test.each(WRITES)("row 17: %s takes neither invalid UTF-8 nor JSON under another type", async (_, path, body) => {
      await refused(postText(path, new Uint8Array([...new TextEncoder().encode('{"a":"'), 0xc3, 0x28, 0x22, 0x7d])), [400]);
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
        await refused(post(path, { raw: JSON.stringify(body), headers: { ...KEY, "content-type": type } }), [415]);
      }
    });
  });

  describe("links of senders", () => {
    const setting = useSetting(harness, { contracts: [deliveryV1()] });
    const call = (method: string, path: string, json: object) =>
      ask(`${setting.url}/api/v1/notifications${path}`, { method, json, headers: KEY });

    test.each(["action_url", "url", "actionUrl"])(
      "row 21: %s leads to the web, to a mailbox or to a path, and nowhere else",
      async (member) => {
        for (const link of [
          "javascript:alert(1)",
          "JaVa\tScript:alert(1)",
          " javascript:alert(1)",
          "data:text/html,x",
          "vbscript:x",
          "file:///etc/passwd",
        ]) {
          const refused = await call("POST", "", { ...send, meta: { [member]: link } });
          expect([link, refused.status, JSON.stringify(refused.body).includes(`meta.${member}`)]).toEqual([link, 422, true]);
          const create = setting.service.tenant("acme").create({ to: "ann", data: { [member]: link } });
          await expect(create).rejects.toMatchObject({ code: "VALIDATION_ERROR", issues: [{ path: ["data", member] }] });
        }
        for (const link of [
          "https://example.com/a?b=c",
          "http://example.com",
          "mailto:ann@example.com",
          "/rooms/1",
          "rooms/1",
          "?a=b",
          "#top",
          "",
        ]) {
          expect([link, (await call("POST", "", { ...send, meta: { [member]: link } })).status]).toEqual([link, 201]);
        }
        expect((await call("POST", "", { ...send, meta: { [member]: 7 } })).status).toBe(201);
      },
    );

    test("row 21: a change cannot bring one in later, and markup stays text", async () => {
      const later = { ...send, subject: "<img src=x onerror=alert(1)>", scheduled_at: "2099-01-01T00:00:00Z" };
      const sent = await call("POST", "", later);
      expect(sent).toMatchObject({ status: 201, body: { data: { subject: later.subject } } });
      const { id } = (sent.body as { readonly data: { readonly id: string } }).data;
      expect((await call("PUT", `/${id}`, { meta: { action_url: "javascript:alert(1)" } })).status).toBe(422);
    });
  });

  describe("a limiter whose store is down", () => {
    const logger = new LogBook();
    const down = { consume: () => Promise.reject(new Error("The store is down.")) };
    const setting = useSetting(harness, {
      ...suiteOptions({}, "apikey"),
      badCredentialLimiter: down,
      clientAddress: () => "203.0.113.9",
      logger,
    });

    test("row 19: one of this process takes over, with one line in the log", async () => {
      const url = `${setting.url}/api/notifications/list`;
      const status = async (key: string) => (await ask(url, { headers: { "x-api-key": key } })).status;
      expect(await status(API_KEY)).toBe(200);
      let last = 0;
      for (let guess = 0; guess <= 600; guess += 1) {
        last = await status(`wrong ${guess}`);
      }
      expect(last).toBe(429);
      expect(await status("wrong again")).toBe(429);
      expect(logger.complaints).toHaveLength(1);
    });
  });
}
