import { pack } from "@belfry/core/contracts";
import { describe, expect, test } from "vitest";
import { ask } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { ScriptedChannel, scriptedChannels } from "./scripted-channels.ts";
import { API_KEY, OTHER_API_KEY, type Setting, useSetting } from "./setting.ts";
import { SocketClient } from "./socket-client.ts";

const PROBE = "Are you there?";

function creator(setting: Setting, headers: Readonly<Record<string, string>> = {}) {
  return (json: object) => ask(`${setting.url}/api/notifications/create`, { method: "POST", json, headers });
}

/** Opens the socket of a user, and waits until it gets what is created. */
async function follow(url: string, probe: () => Promise<unknown>): Promise<SocketClient> {
  const client = new SocketClient(url);
  const hears = async () => {
    await probe();
    return client.received.frames.length > 0;
  };
  await expect.poll(hears, { timeout: 20_000 }).toBe(true);
  return client;
}

/** What a socket got beside the probes. */
function heard({ received }: SocketClient): readonly unknown[] {
  return received.frames.filter(({ content }) => content !== PROBE);
}

/** Tests what the document of `pack` plans: categories, e-mail, push, and the socket of a user. */
export function packEnhancementsSuite(harness: HttpHarness): void {
  describe("pack: categories", () => {
    const setting = useSetting(harness);
    const create = (json: object) => creator(setting)(json);
    const list = async (query: string) => (await ask(`${setting.url}/api/notifications/list${query}`)).body as { content: string }[];

    test("a category comes back from create and list, and its item has it", async () => {
      const answer = await create({ user_id: "sorted", content: "Disk full", category: "alert" });
      expect([answer.status, Object.keys(answer.body as object)]).toEqual([
        200,
        ["user_id", "content", "category", "timestamp", "is_read"],
      ]);
      expect(answer.body).toMatchObject({ content: "Disk full", category: "alert" });
      await create({ user_id: "sorted", content: "Hello", category: null });
      expect(await list("?user_id=sorted")).toEqual([
        { user_id: "sorted", content: "Hello", timestamp: expect.any(String), is_read: false },
        answer.body,
      ]);
      const { items } = await setting.service.inbox("sorted").list({ categories: ["alert"] });
      expect(items.map(({ type, category, message }) => [type, category, message])).toEqual([["notification", "alert", "Disk full"]]);
    });

    test("a list can be of one category, of a user or of all", async () => {
      for (const [user_id, content, category] of [
        ["one", "a", "system"],
        ["two", "b", "system"],
        ["one", "c", "update"],
        ["one", "d", undefined],
        ["one", "e", "system"],
      ]) {
        await create({ user_id, content, category });
      }
      const contents = async (query: string) => (await list(query)).map(({ content }) => content);
      expect(await contents("?user_id=one&category=system")).toEqual(["e", "a"]);
      expect(await contents("?category=system")).toEqual(["e", "b", "a"]);
      expect(await contents("?category=system&limit=2")).toEqual(["e", "b"]);
      expect(await contents("?category=none")).toEqual([]);
    });

    test.each([
      [{ category: "" }, "category", "string_too_short"],
      [{ category: "x".repeat(256) }, "category", "string_too_long"],
      [{ category: 7 }, "category", "string_type"],
      [{ send_email: "maybe" }, "send_email", "boolean_type"],
      [{ push: 1 }, "push", "boolean_type"],
    ])("bad input %# is 422 by field", async (more, field, type) => {
      const { status, body } = await create({ user_id: "bad", content: "x", ...more });
      expect([status, body]).toMatchObject([422, { detail: [{ loc: ["body", field], type }] }]);
    });
  });

  describe("pack: e-mail and push that are not set up", () => {
    const setting = useSetting(harness);

    test.each([
      [{ send_email: true }, "email"],
      [{ push: true }, "push"],
    ])("are 409 with what is missing, and nothing is created: %j", async (more, channel) => {
      const { status, body } = await creator(setting)({ user_id: `later ${channel}`, content: "x", ...more });
      expect([status, body]).toEqual([409, { detail: expect.stringContaining(`"${channel}" is not configured`) }]);
      expect((await setting.service.inbox(`later ${channel}`).list()).items).toEqual([]);
      expect((await creator(setting)({ user_id: `later ${channel}`, content: "x", send_email: false, push: null })).status).toBe(200);
    });
  });

  describe("pack: e-mail and push", () => {
    const { email } = scriptedChannels();
    const push = new ScriptedChannel("push", (token) => (token.startsWith("device-") ? null : "is no device"));
    const contactOf = (userId: string) => (userId === "nowhere" ? {} : { email: `${userId}@example.com`, push: `device-of-${userId}` });
    const directory = (ids: readonly string[]) => new Map(ids.map((id) => [id, contactOf(id)]));
    const setting = useSetting(harness, {}, {}, { channels: [email, push], directory });

    test("go to where the directory has the user, beside the item", async () => {
      const answer = await creator(setting)({ user_id: "ann", content: "Order shipped", category: "update", send_email: true, push: true });
      expect([answer.status, answer.body]).toEqual([
        200,
        { user_id: "ann", content: "Order shipped", category: "update", timestamp: expect.any(String), is_read: false },
      ]);
      expect(await ask(`${setting.url}/api/notifications/list?user_id=ann`)).toMatchObject({ body: [answer.body] });
      for (const [{ tasks }, address] of [
        [email, "ann@example.com"],
        [push, "device-of-ann"],
      ] as const) {
        await expect.poll(() => tasks.length).toBe(1);
        expect(tasks[0]).toMatchObject({ recipient: "ann", address, title: "New Notification", message: "Order shipped" });
      }
    });

    test("a user without an address has the item all the same", async () => {
      const { status } = await creator(setting)({ user_id: "nowhere", content: "x", send_email: true });
      const { items } = await setting.service.inbox("nowhere").list();
      expect([status, items.length]).toEqual([200, 1]);
    });
  });

  describe("pack: e-mail without a directory", () => {
    const { email } = scriptedChannels();
    const setting = useSetting(harness, {}, {}, { channels: [email] });

    test("goes to a user whose id is an address, and is 422 for others", async () => {
      expect((await creator(setting)({ user_id: "ann@example.com", content: "x", send_email: true })).status).toBe(200);
      await expect.poll(() => email.tasks.map(({ recipient }) => recipient)).toEqual(["ann@example.com"]);
      const { status, body } = await creator(setting)({ user_id: "ann", content: "x", send_email: true });
      expect([status, body]).toMatchObject([422, { detail: [{ loc: ["body", "user_id"], type: "value_error" }] }]);
      expect((await setting.service.inbox("ann").list()).items).toEqual([]);
    });
  });

  describe("pack: the socket of a user", () => {
    const setting = useSetting(harness);
    const create = (json: object) => creator(setting)(json);

    test.each(["/ws/", "/api/notifications/ws/"])("%s{user_id} gets the user's notifications as they are created", async (path) => {
      const user_id = `live ${path}#😀`;
      const url = `${setting.url}${path}${encodeURIComponent(user_id)}`;
      const client = await follow(url, () => create({ user_id, content: PROBE }));
      client.send("ping");
      const made = [
        await create({ user_id, content: "First" }),
        await create({ user_id: "somebody else", content: "Not mine" }),
        await create({ user_id, content: "Second", category: "alert" }),
      ].map(({ body }) => body);
      await ask(`${setting.url}/api/notifications/mark-read/${encodeURIComponent(user_id)}/0`, { method: "POST" });
      await setting.service.create({ to: user_id, message: "From the host" });
      await client.received.until(() => heard(client).length >= 3);
      expect(heard(client)).toEqual([
        made[0],
        made[2],
        { user_id, content: "From the host", timestamp: expect.any(String), is_read: false },
      ]);
      client.drop();
    });

    test("an id that no user has, and a page of another site, are refused", async () => {
      const long = new SocketClient(`${setting.url}/ws/${"x".repeat(256)}`);
      expect(await long.closed()).toBe(1008);
      expect(long.received.frames).toMatchObject([{ detail: [{ loc: ["path", "user_id"], type: "string_too_long" }] }]);
      expect(await new SocketClient(`${setting.url}/ws/ann`, { origin: "https://evil.example" }).closed()).toBe(1006);
      const own = new SocketClient(`${setting.url}/ws/ann`, { origin: setting.url });
      await expect.poll(() => own.socket.readyState).toBe(own.socket.OPEN);
      own.drop();
    });
  });

  describe("pack: the socket of a user, with keys", () => {
    const setting = useSetting(harness, { contracts: [pack()] });
    const keyed = (key: string) => creator(setting, { "x-api-key": key });

    test("a key opens the socket of its own tenant's user; without one it is refused", async () => {
      const url = `${setting.url}/ws/ann?apiKey=${API_KEY}`;
      const client = await follow(url, () => keyed(API_KEY)({ user_id: "ann", content: PROBE }));
      await keyed(OTHER_API_KEY)({ user_id: "ann", content: "Of globex" });
      await keyed(API_KEY)({ user_id: "ann", content: "Of acme" });
      await client.received.until(() => heard(client).length >= 1);
      expect(heard(client)).toMatchObject([{ user_id: "ann", content: "Of acme" }]);
      client.drop();
      for (const query of ["", "?apiKey=wrong"]) {
        expect(await new SocketClient(`${setting.url}/ws/ann${query}`).closed()).toBe(1006);
      }
    });
  });
}
