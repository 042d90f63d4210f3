import { pack } from "@belfry/core/contracts";
import { describe, expect, test } from "vitest";
import { ask } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { API_KEY, useSetting } from "./setting.ts";

const ISO_DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

interface Item {
  readonly content: string;
  readonly timestamp: string;
  readonly is_read: boolean;
}

/** Tests every endpoint, parameter, status and error of `pack`. */
export function packSuite(harness: HttpHarness): void {
  describe("pack", () => {
    const setting = useSetting(harness);
    const path = (suffix: string) => `${setting.url}/api/notifications${suffix}`;
    const create = (user_id: string, content: string) => ask(path("/create"), { method: "POST", json: { user_id, content } });
    const list = async (query: string) => (await ask(path(`/list${query}`))).body as Item[];
    const mark = (userId: string, index: string | number) =>
      ask(path(`/mark-read/${encodeURIComponent(userId)}/${index}`), { method: "POST" });
    const unread = async (userId: string) => (await ask(path(`/unread-count/${encodeURIComponent(userId)}`))).body;

    test("create answers exactly four keys, and the list shows the same", async () => {
      const answer = await create("user_123", "Your order has been shipped!");
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        user_id: "user_123",
        content: "Your order has been shipped!",
        timestamp: expect.stringMatching(ISO_DATE),
        is_read: false,
      });
      expect(await list("?user_id=user_123&limit=20")).toEqual([answer.body]);
    });

    test("lists are newest first, of one user or of all", async () => {
      for (const content of ["a", "b"]) {
        await create("list1", content);
        await create("list2", content);
      }
      expect((await list("?user_id=list1")).map(({ content }) => content)).toEqual(["b", "a"]);
      expect((await list("")).slice(0, 4).map(({ content }) => content)).toEqual(["b", "b", "a", "a"]);
      expect(await list("?limit=1")).toHaveLength(1);
    });

    test("an index counts from the newest, read ones included", async () => {
      for (const content of ["a", "b", "c"]) {
        await create("index", content);
      }
      const first = await mark("index", 0);
      expect([first.status, first.body]).toEqual([200, { ok: true, message: "Notification marked as read" }]);
      await mark("index", 2);
      expect((await list("?user_id=index")).map(({ is_read }) => is_read)).toEqual([true, false, true]);
      expect((await mark("index", 0)).status).toBe(200);
      expect(await unread("index")).toEqual({ user_id: "index", unread_count: 1 });
    });

    test("an unknown user has an empty list, no unread and no index", async () => {
      expect(await list("?user_id=nobody")).toEqual([]);
      expect(await unread("nobody")).toEqual({ user_id: "nobody", unread_count: 0 });
      const answer = await mark("nobody", 0);
      expect([answer.status, Object.keys(answer.body as object)]).toEqual([404, ["detail"]]);
    });

    test.each([
      ["3", 404],
      ["-1", 404],
      ["x", 422],
      ["1.5", 422],
    ])("index %s of a list of three is %i", async (index, status) => {
      for (const content of ["a", "b", "c"]) {
        await create(`bad${index}`, content);
      }
      expect((await mark(`bad${index}`, index)).status).toBe(status);
      expect(await unread(`bad${index}`)).toMatchObject({ unread_count: 3 });
    });

    test.each([
      [
        {},
        [
          ["user_id", "missing"],
          ["content", "missing"],
        ],
      ],
      [{ user_id: "u" }, [["content", "missing"]]],
      [{ user_id: 7, content: "x" }, [["user_id", "string_type"]]],
      [{ user_id: "", content: "x" }, [["user_id", "string_too_short"]]],
      [{ user_id: "u\u0000", content: "x" }, [["user_id", "string_nul"]]],
      [{ user_id: "u", content: "\ud800" }, [["content", "string_unicode"]]],
      [{ user_id: "u", content: "x".repeat(10_001) }, [["content", "string_too_long"]]],
    ])("bad input %# is 422 by field", async (json, expected) => {
      const answer = await ask(path("/create"), { method: "POST", json });
      const { detail } = answer.body as { detail: { loc: string[]; type: string }[] };
      expect([answer.status, detail.map(({ loc, type }) => [loc[1], type])]).toEqual([422, expected]);
    });

    test("no body, an array and a text are 422 or 400, and nothing is created", async () => {
      for (const raw of ["", "[]", '"x"', "null"]) {
        const answer = await ask(path("/create"), { method: "POST", raw, headers: { "content-type": "application/json" } });
        expect([raw, answer.status]).toEqual([raw, 422]);
      }
      for (const raw of ["{", '{"user_id":']) {
        const answer = await ask(path("/create"), { method: "POST", raw, headers: { "content-type": "application/json" } });
        expect([raw, answer.status < 500 && answer.status >= 400]).toEqual([raw, true]);
      }
    });

    test.each(["limit=0", "limit=1001", "limit=x", "user_id="])("row 13: list?%s is 422", async (query) => {
      expect((await ask(path(`/list?${query}`))).status).toBe(422);
    });

    test("ids and contents of any script come back unchanged", async () => {
      const userId = "Zoë/%2F?#😀 名";
      const content = "שלום 😀\n\t<img onerror=alert(1)> '; DROP TABLE x; --";
      expect((await create(userId, content)).body).toMatchObject({ user_id: userId, content });
      expect(await unread(userId)).toEqual({ user_id: userId, unread_count: 1 });
      expect((await mark(userId, 0)).status).toBe(200);
      expect((await list(`?user_id=${encodeURIComponent(userId)}`))[0]).toMatchObject({ content, is_read: true });
    });
  });

  describe("pack with the original's index order and a window", () => {
    const setting = useSetting(harness, { contracts: [pack({ auth: "apikey", indexOrder: "oldest", window: 2 })] });
    const headers = { "x-api-key": API_KEY };
    const path = (suffix: string) => `${setting.url}/api/notifications${suffix}`;

    test("the index counts from the oldest in the window, the unread count over all", async () => {
      for (const content of ["a", "b", "c"]) {
        await ask(path("/create"), { method: "POST", headers, json: { user_id: "u", content } });
      }
      await ask(path("/mark-read/u/0"), { method: "POST", headers });
      expect((await ask(path("/mark-read/u/2"), { method: "POST", headers })).status).toBe(404);
      const { body } = await ask(path("/list?user_id=u"), { headers });
      expect((body as Item[]).map(({ content, is_read }) => [content, is_read])).toEqual([
        ["c", false],
        ["b", true],
      ]);
      expect((await ask(path("/unread-count/u"), { headers })).body).toEqual({ user_id: "u", unread_count: 2 });
    });

    test("without a key the answer is 401, and a key in the query does not count", async () => {
      expect((await ask(path("/list"))).status).toBe(401);
      expect((await ask(path(`/list?apiKey=${API_KEY}&api_key=${API_KEY}`))).status).toBe(401);
      expect((await ask(path("/list"), { headers: { "x-api-key": `${API_KEY}x` } })).status).toBe(401);
      expect((await ask(path("/list"), { headers: { authorization: `Bearer ${API_KEY}` } })).status).toBe(200);
    });
  });
}
