import { describe, expect, test } from "vitest";
import { ask } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { useSetting } from "./setting.ts";

interface Page {
  readonly count: number;
  readonly next: string | null;
  readonly previous: string | null;
  readonly results: readonly { readonly id: number; readonly title: string; readonly is_read: boolean; readonly read_at: string | null }[];
}

/** Tests every endpoint, parameter, status and error of `django`. */
export function djangoSuite(harness: HttpHarness): void {
  describe("django", () => {
    const setting = useSetting(harness);
    const get = (userId: string, path: string) => ask(`${setting.url}/notifications${path}`, { headers: setting.token(userId) });
    const page = async (userId: string, path: string) => (await get(userId, path)).body as Page;
    const send = (userId: string, method: string, path: string, json?: unknown) =>
      ask(`${setting.url}/notifications${path}`, { method, headers: setting.token(userId), ...(json === undefined ? {} : { json }) });
    const create = async (userId: string, count: number, type = "note") => {
      await Promise.all(Array.from({ length: count }, (_, index) => setting.service.create({ to: userId, type, title: `n${index + 1}` })));
    };
    const ids = ({ results }: Page) => results.map(({ id }) => id);
    const notFound = [404, { detail: "Not found." }];

    test("an item has exactly the documented fields", async () => {
      const { notification } = await setting.service.create({
        to: "shape",
        type: "order_update",
        title: "Order #1234 is on the way",
        message: "Rider left",
        data: {
          related_order_id: 1234,
          related_product_id: "77",
          related_review_id: 1.5,
          related_comment_id: "9007199254740993",
          other: 1,
        },
      });
      const answer = await get("shape", "/1/");
      expect([answer.status, answer.body]).toEqual([
        200,
        {
          id: 1,
          notification_type: "order_update",
          notification_type_display: "Order Update",
          title: "Order #1234 is on the way",
          message: "Rider left",
          related_order_id: 1234,
          related_product_id: 77,
          related_review_id: null,
          related_comment_id: null,
          is_read: false,
          read_at: null,
          created_at: notification.createdAt.toISOString(),
        },
      ]);
    });

    test("an unregistered type is shown in title case", async () => {
      await setting.service.tenant("default").createFromContract({ to: "label", type: "price-drop alert" });
      expect((await get("label", "/1/")).body).toMatchObject({ notification_type_display: "Price Drop Alert" });
    });

    test("pages of 20, newest first, with links that keep the other parameters", async () => {
      await create("pages", 45);
      const first = await page("pages", "/");
      expect([first.count, first.previous, first.next, ids(first)[0], first.results.length]).toEqual([
        45,
        null,
        "/notifications/?page=2",
        45,
        20,
      ]);
      const second = await page("pages", "/?page=2&notification_type=note");
      expect([second.previous, second.next]).toEqual([
        "/notifications/?page=1&notification_type=note",
        "/notifications/?page=3&notification_type=note",
      ]);
      const last = await page("pages", "/?page=last");
      expect([last.previous, last.next, ids(last)]).toEqual(["/notifications/?page=2", null, [5, 4, 3, 2, 1]]);
      const odd = await page("pages", "/?page=2&note=a?b");
      expect(odd.next).toBe("/notifications/?page=3&note=a%3Fb");
      expect(await page("pages", "?page=3")).toMatchObject({ next: null, results: last.results });
    });

    test.each([
      ["10", 10],
      ["100", 45],
      ["1000", 45],
      ["0", 20],
      ["ten", 20],
      ["-5", 20],
    ])("page_size=%s gives %i of 45", async (size, length) => {
      await create(`size${size}`, 45);
      expect((await page(`size${size}`, `/?page_size=${size}`)).results).toHaveLength(length);
    });

    test.each(["0", "-1", "x", "2", "1.5", "9999999999999"])("page=%s of a list of one page is 404", async (number) => {
      const answer = await get("nopage", `/?page=${number}`);
      expect([answer.status, answer.body]).toEqual([404, { detail: "Invalid page." }]);
    });

    test("an empty page is page 1", async () => {
      await create("nonumber", 21);
      expect(ids(await page("nonumber", "/?page="))).toEqual(ids(await page("nonumber", "/")));
    });

    test("ordering=created_at turns the list around; another order is newest first", async () => {
      await create("ordered", 45);
      const first = await page("ordered", "/?ordering=created_at");
      expect([ids(first)[0], first.results.length, first.next]).toEqual([1, 20, "/notifications/?ordering=created_at&page=2"]);
      expect(ids(await page("ordered", "/?ordering=created_at&page=2"))[0]).toBe(21);
      for (const last of ["3", "last"]) {
        expect(ids(await page("ordered", `/?ordering=created_at&page=${last}`))).toEqual([41, 42, 43, 44, 45]);
      }
      expect((await get("ordered", "/?ordering=created_at&page=4")).status).toBe(404);
      for (const order of ["-created_at", "", "title"]) {
        expect(ids(await page("ordered", `/unread/?ordering=${order}`))[0]).toBe(45);
      }
      expect((await page("unordered", "/?ordering=created_at")).results).toEqual([]);
    });

    test("an empty list is page 1", async () => {
      expect(await page("empty", "/?page=1")).toEqual({ count: 0, next: null, previous: null, results: [] });
      expect(await page("empty", "/unread/?page=last")).toEqual({ count: 0, next: null, previous: null, results: [] });
    });

    test("the unread list and the type filter", async () => {
      await create("unread", 3);
      await create("unread", 1, "other");
      await send("unread", "POST", "/2/mark_as_read/", { is_read: true });
      expect(ids(await page("unread", "/unread/"))).toEqual([4, 3, 1]);
      expect(ids(await page("unread", "/unread/?notification_type=note"))).toEqual([3, 1]);
      expect(ids(await page("unread", "/?notification_type=other"))).toEqual([4]);
      expect((await get("unread", "/unread_count/")).body).toEqual({ count: 3 });
    });

    test("mark_as_read answers the whole object, and the same the second time", async () => {
      await create("read", 1);
      const first = await send("read", "POST", "/1/mark_as_read/", { is_read: true });
      expect(first).toMatchObject({ status: 200, body: { id: 1, is_read: true, title: "n1" } });
      const again = await ask(`${setting.url}/notifications/1/mark_as_read`, {
        method: "POST",
        headers: { ...setting.token("read"), "content-type": "application/json" },
      });
      expect([again.status, again.body]).toEqual([200, first.body]);
      expect((await get("read", "/unread_count/")).body).toEqual({ count: 0 });
    });

    test("mark_all_as_read, delete_notification and delete_all_read", async () => {
      await create("sweep", 3);
      const all = await send("sweep", "POST", "/mark_all_as_read/", { is_read: true });
      expect([all.status, all.body]).toEqual([200, { success: true }]);
      await create("sweep", 1);
      const one = await send("sweep", "DELETE", "/1/delete_notification/");
      expect([one.status, one.body]).toEqual([204, null]);
      expect(await send("sweep", "DELETE", "/1/delete_notification/")).toMatchObject({ status: 404, body: { detail: "Not found." } });
      const read = await send("sweep", "DELETE", "/delete_all_read/");
      expect([read.status, read.body]).toEqual([204, null]);
      expect(ids(await page("sweep", "/"))).toEqual([4]);
    });

    test("bulk changes skip unknown ids and answer how many were found", async () => {
      await create("bulk", 4);
      const read = await send("bulk", "POST", "/bulk/", { ids: [1, 2, 99], action: "read" });
      expect([read.status, read.body]).toEqual([200, { success: true, count: 2 }]);
      expect((await send("bulk", "POST", "/bulk/", { ids: [2, 3], action: "delete" })).body).toEqual({ success: true, count: 2 });
      expect(ids(await page("bulk", "/"))).toEqual([4, 1]);
      expect((await get("bulk", "/unread_count/")).body).toEqual({ count: 1 });
    });

    test("bulk input without its fields says that each is required", async () => {
      const errors = { ids: ["This field is required."], action: ["This field is required."] };
      expect((await send("badbulk", "POST", "/bulk/", {})).body).toEqual({ ...errors, detail: "ids: This field is required.", errors });
    });

    test.each([
      [{}, ["ids", "action"]],
      [{ ids: [1], action: "burn" }, ["action"]],
      [{ ids: "1", action: "read" }, ["ids"]],
      [{ ids: ["x"], action: "read" }, ["ids"]],
      [{ ids: Array.from({ length: 1_001 }, (_, at) => at), action: "read" }, ["ids"]],
    ])("bad bulk input %# is 400 by field and changes nothing", async (json, fields) => {
      await create("badbulk", 1);
      const answer = await send("badbulk", "POST", "/bulk/", json);
      expect([answer.status, Object.keys(answer.body as object)]).toEqual([400, [...fields, "detail", "errors"]]);
      expect((await page("badbulk", "/unread/")).count).toBe((await page("badbulk", "/")).count);
    });

    test.each([
      [[], "Invalid data. Expected a dictionary, but got list."],
      ["read", "Invalid data. Expected a dictionary, but got str."],
      [7, "Invalid data. Expected a dictionary, but got int."],
      [7.5, "Invalid data. Expected a dictionary, but got float."],
      [true, "Invalid data. Expected a dictionary, but got bool."],
      [null, "No data provided"],
    ])("the body %j is refused in Django REST framework's words", async (json, words) => {
      const answer = await send("words", "POST", "/bulk/", json);
      const errors = { non_field_errors: [words] };
      expect([answer.status, answer.body]).toEqual([400, { ...errors, detail: words, errors }]);
    });

    test.each([
      [{ ids: "1" }, "ids", 'Expected a list of items but got type "str".'],
      [{ ids: { a: 1 } }, "ids", 'Expected a list of items but got type "dict".'],
      [{ ids: null }, "ids", "This field may not be null."],
      [{ ids: [1.5] }, "ids", "A valid integer is required."],
      [{ ids: [null] }, "ids", "This field may not be null."],
      [{ ids: Array.from({ length: 1_001 }, (_, at) => at) }, "ids", "Ensure this field has no more than 1000 elements."],
      [{ action: "explode" }, "action", '"explode" is not a valid choice.'],
      [{ action: 7 }, "action", '"7" is not a valid choice.'],
      [{ action: true }, "action", '"True" is not a valid choice.'],
      [{ action: "" }, "action", '"" is not a valid choice.'],
      [{ action: null }, "action", "This field may not be null."],
      [{ action: "x".repeat(5_000) }, "action", `"${"x".repeat(200)}…" is not a valid choice.`],
    ])("a field of %# is refused in Django REST framework's words", async (json, field, words) => {
      const answer = await send("words", "POST", "/bulk/", { ids: [1], action: "read", ...json });
      const errors = { [field]: [words] };
      expect([answer.status, answer.body]).toEqual([400, { ...errors, detail: `${field}: ${words}`, errors }]);
    });

    test.each([
      ["text/plain; charset=utf-8", "{}", 415, 'Unsupported media type "text/plain; charset=utf-8" in request.'],
      ["application/json", "{", 400, "JSON parse error - The body is not valid JSON in UTF-8."],
    ])("a body of %s that is %j is refused in Django REST framework's words", async (type, raw, status, detail) => {
      const headers = { ...setting.token("words"), "content-type": type };
      const answer = await ask(`${setting.url}/notifications/bulk/`, { method: "POST", headers, raw });
      expect([answer.status, answer.body]).toEqual([status, { detail }]);
    });

    test("a wrong is_read is 400", async () => {
      await create("wrong", 1);
      const answer = await send("wrong", "POST", "/1/mark_as_read/", { is_read: "soon" });
      expect([answer.status, answer.body]).toEqual([
        400,
        {
          is_read: ["Must be a valid boolean."],
          detail: "is_read: Must be a valid boolean.",
          errors: { is_read: ["Must be a valid boolean."] },
        },
      ]);
      expect((await get("wrong", "/unread_count/")).body).toEqual({ count: 1 });
    });

    test("someone else's, unknown and impossible ids are 404", async () => {
      await create("mine", 1);
      await create("theirs", 2);
      for (const id of ["2", "999", "0", "x", "-1", "%00", "%zz"]) {
        expect([id, ...Object.values(await statusAndBody(get("mine", `/${id}/`)))]).toEqual([id, ...notFound]);
      }
      expect(await statusAndBody(send("mine", "POST", "/2/mark_as_read/"))).toEqual({ status: 404, body: { detail: "Not found." } });
      expect(await statusAndBody(send("mine", "DELETE", "/2/delete_notification/"))).toEqual({
        status: 404,
        body: { detail: "Not found." },
      });
      expect((await get("theirs", "/unread_count/")).body).toEqual({ count: 2 });
    });

    test("missing and bad tokens are 401 with a challenge", async () => {
      const none = await ask(`${setting.url}/notifications/`);
      expect([none.status, none.headers.get("www-authenticate"), none.body]).toEqual([
        401,
        "Token",
        { detail: "Authentication credentials were not provided." },
      ]);
      const bad = await ask(`${setting.url}/notifications/`, { headers: { authorization: "Token nope" } });
      expect([bad.status, bad.body]).toEqual([401, { detail: "Invalid token." }]);
      for (const [authorization, words] of [
        ["Token", "Invalid token header. No credentials provided."],
        ["Token a b", "Invalid token header. Token string should not contain spaces."],
        ["Basic YTpi", "Authentication credentials were not provided."],
        ["Bearer", "Authentication credentials were not provided."],
      ] as const) {
        const answer = await ask(`${setting.url}/notifications/`, { headers: { authorization } });
        expect([authorization, answer.status, answer.body]).toEqual([authorization, 401, { detail: words }]);
      }
    });

    test("a wrong method is 405 with Allow", async () => {
      const answer = await send("x", "PUT", "/bulk/");
      expect([answer.status, answer.headers.get("allow"), answer.body]).toEqual([405, "POST", { detail: 'Method "PUT" not allowed.' }]);
    });
  });
}

async function statusAndBody(answer: ReturnType<typeof ask>): Promise<{ status: number; body: unknown }> {
  const { status, body } = await answer;
  return { status, body };
}
