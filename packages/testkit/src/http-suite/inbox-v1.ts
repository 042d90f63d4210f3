import { describe, expect, test } from "vitest";
import { ask } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { useSetting } from "./setting.ts";

const PATH = "/api/v1/notifications";
const UNKNOWN_ID = "01920000-0000-7000-8000-000000000000";

interface Item {
  readonly id: string;
  readonly title: string;
  readonly read_at: string | null;
}
interface List {
  readonly notifications: readonly Item[];
  readonly total: number;
  readonly unread_count: number;
  readonly next_cursor: string | null;
}

/** Tests every endpoint, parameter, status and error of the REST part of `inbox-v1`. */
export function inboxV1Suite(harness: HttpHarness): void {
  describe("inbox-v1", () => {
    const setting = useSetting(harness);
    const list = async (userId: string, query = "") => {
      const answer = await ask(`${setting.url}${PATH}${query}`, { headers: await setting.bearer(userId) });
      expect(answer.status).toBe(200);
      return answer.body as List;
    };
    const create = async (userId: string, titles: readonly string[], type = "note") => {
      const ids: string[] = [];
      for (const title of titles) {
        ids.push((await setting.service.create({ to: userId, type, title })).notification.id);
      }
      return ids;
    };

    test("an item has exactly the documented fields", async () => {
      const { notification } = await setting.service.create({
        to: "shape",
        type: "order_update",
        title: "Shipped",
        message: "Today",
        data: { related_order_id: 7 },
      });
      const answer = await ask(`${setting.url}${PATH}`, { headers: await setting.bearer("shape") });
      expect(answer.body).toEqual({
        notifications: [
          {
            id: notification.id,
            user_id: "shape",
            type: "order_update",
            title: "Shipped",
            message: "Today",
            data: { related_order_id: 7 },
            status: "unread",
            read_at: null,
            created_at: notification.createdAt.toISOString(),
          },
        ],
        total: 1,
        unread_count: 1,
        next_cursor: null,
      });
      expect(answer.headers.get("x-unread-count")).toBe("1");
      expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
    });

    test("the list is newest first and pages by limit and offset", async () => {
      await create("pages", ["a", "b", "c", "d"]);
      expect((await list("pages")).notifications.map(({ title }) => title)).toEqual(["d", "c", "b", "a"]);
      expect((await list("pages", "?limit=2&offset=1")).notifications.map(({ title }) => title)).toEqual(["c", "b"]);
      expect((await list("pages", "?offset=9")).notifications).toEqual([]);
      expect((await list("pages/", "/?limit=1")).total).toBe(0);
    });

    test("cursors lead through the whole list, also while new items arrive", async () => {
      await create("cursor", ["a", "b", "c"]);
      const first = await list("cursor", "?limit=2");
      await create("cursor", ["new"]);
      const second = await list("cursor", `?limit=2&cursor=${first.next_cursor}`);
      expect([...first.notifications, ...second.notifications].map(({ title }) => title)).toEqual(["c", "b", "a"]);
      expect(second.next_cursor).toBeNull();
    });

    test("row 13: a cursor that was edited or belongs to somebody else is refused", async () => {
      await create("cursor1", ["a", "b"]);
      await create("cursor2", ["a", "b"]);
      const { next_cursor } = await list("cursor1", "?limit=1");
      for (const [user, cursor] of [
        ["cursor2", next_cursor],
        ["cursor1", `${next_cursor}x`],
        ["cursor1", "9"],
      ]) {
        const answer = await ask(`${setting.url}${PATH}?cursor=${cursor}`, { headers: await setting.bearer(user ?? "") });
        expect([answer.status, Object.keys(answer.body as object)]).toEqual([400, ["detail"]]);
      }
    });

    test("status and type filter; total follows them and unread_count does not", async () => {
      const [first = ""] = await create("filter", ["a", "b"]);
      await create("filter", ["c"], "other");
      await ask(`${setting.url}${PATH}/${first}/read`, { method: "PATCH", headers: await setting.bearer("filter") });
      const seen = async (query: string) => {
        const { notifications, total, unread_count } = await list("filter", query);
        return [notifications.map(({ title }) => title).join(""), total, unread_count];
      };
      expect(await seen("?status=all")).toEqual(["cba", 3, 2]);
      expect(await seen("?status=unread")).toEqual(["cb", 2, 2]);
      expect(await seen("?status=read")).toEqual(["a", 1, 2]);
      expect(await seen("?type=other")).toEqual(["c", 1, 2]);
      expect(await seen("?type=note&status=unread")).toEqual(["b", 1, 2]);
      expect(await seen("?type=none")).toEqual(["", 0, 2]);
    });

    test.each([
      ["limit=0", "limit", "greater_than_equal", "Input should be greater than or equal to 1"],
      ["limit=101", "limit", "less_than_equal", "Input should be less than or equal to 100"],
      ["limit=x", "limit", "int_parsing", "Input should be a valid integer, unable to parse string as an integer"],
      ["limit=1e9", "limit", "int_parsing", "Input should be a valid integer, unable to parse string as an integer"],
      ["offset=-1", "offset", "greater_than_equal", "Input should be greater than or equal to 0"],
      ["status=seen", "status", "enum", "Input should be 'all', 'read' or 'unread'"],
      ["offset=1&cursor=x", "offset", "conflict", "cannot be given together with a cursor"],
    ])("row 13: %s is refused with FastAPI's error", async (query, field, type, msg) => {
      const answer = await ask(`${setting.url}${PATH}?${query}`, { headers: await setting.bearer("bad") });
      expect([answer.status, answer.body]).toEqual([422, { detail: [{ loc: ["query", field], msg, type }] }]);
    });

    test("marking as read answers the item, and a repetition keeps the time", async () => {
      const [id = ""] = await create("read", ["a"]);
      const request = { method: "PATCH", headers: await setting.bearer("read") };
      const first = await ask(`${setting.url}${PATH}/${id}/read`, request);
      expect(first).toMatchObject({ status: 200, body: { id, user_id: "read", status: "read", title: "a" } });
      expect((first.body as Item).read_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      const again = await ask(`${setting.url}${PATH}/${id.toUpperCase()}/read/`, {
        ...request,
        headers: { ...request.headers, "content-type": "application/json" },
      });
      expect([again.status, again.body]).toEqual([200, first.body]);
    });

    test("read-all marks everything, answers how many, and keeps earlier times", async () => {
      const [first = ""] = await create("all", ["a", "b", "c"]);
      const headers = await setting.bearer("all");
      const marked = await ask(`${setting.url}${PATH}/${first}/read`, { method: "PATCH", headers });
      const all = await ask(`${setting.url}${PATH}/read-all`, { method: "POST", headers });
      expect([all.status, all.body]).toEqual([200, { count: 2 }]);
      expect((await ask(`${setting.url}${PATH}/read-all/`, { method: "POST", headers })).body).toEqual({ count: 0 });
      const after = await list("all");
      expect(after.unread_count).toBe(0);
      expect(after.notifications[2]?.read_at).toBe((marked.body as Item).read_at);
    });

    test("unread-count counts", async () => {
      await create("count", ["a", "b"]);
      const answer = await ask(`${setting.url}${PATH}/unread-count`, { headers: await setting.bearer("count") });
      expect([answer.status, answer.body]).toEqual([200, { count: 2 }]);
    });

    test("deleting answers 204 with no body, then 404", async () => {
      const [id = ""] = await create("delete", ["a", "b"]);
      const request = { method: "DELETE", headers: await setting.bearer("delete") };
      const first = await ask(`${setting.url}${PATH}/${id}`, request);
      expect([first.status, first.body]).toEqual([204, null]);
      const again = await ask(`${setting.url}${PATH}/${id}`, request);
      expect([again.status, Object.keys(again.body as object)]).toEqual([404, ["detail"]]);
      expect(await list("delete")).toMatchObject({ total: 1, unread_count: 1 });
    });

    test("another user's item is 403, unknown ones and other tenants' are 404, an id that is not a UUID is 422", async () => {
      const [theirs = ""] = await create("owner", ["a"]);
      const other = await setting.service.tenant("other").create({ to: "stranger", title: "b" });
      for (const [method, suffix] of [
        ["PATCH", "/read"],
        ["DELETE", ""],
      ] as const) {
        const status = async (id: string) =>
          (await ask(`${setting.url}${PATH}/${id}${suffix}`, { method, headers: await setting.bearer("stranger") })).status;
        expect([await status(theirs), await status(UNKNOWN_ID), await status(other.notification.id), await status("42")]).toEqual([
          403, 404, 404, 422,
        ]);
      }
      expect((await list("owner")).unread_count).toBe(1);
    });

    test("a wrong method is 405 with Allow, in the contract's own shape", async () => {
      const answer = await ask(`${setting.url}${PATH}/unread-count`, { method: "POST", headers: await setting.bearer("x") });
      expect([answer.status, answer.headers.get("allow"), answer.body]).toEqual([405, "GET", { detail: "Method Not Allowed" }]);
    });

    test("HEAD is GET without a body", async () => {
      const answer = await ask(`${setting.url}${PATH}`, { method: "HEAD", headers: await setting.bearer("x") });
      expect([answer.status, answer.headers.get("x-unread-count"), answer.body]).toEqual([200, "0", null]);
    });

    test("a user's client_id claim is the tenant", async () => {
      await setting.service.tenant("acme").create({ to: "sub", title: "acme's" });
      const answer = await ask(`${setting.url}${PATH}`, { headers: await setting.bearer("sub", "acme") });
      expect((answer.body as List).notifications.map(({ title }) => title)).toEqual(["acme's"]);
      expect((await list("sub")).total).toBe(0);
    });
  });
}
