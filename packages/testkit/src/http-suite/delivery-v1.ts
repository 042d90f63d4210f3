import { deliveryV1, inboxV1 } from "@belfry/core/contracts";
import { describe, expect, test } from "vitest";
import { type Ask, ask } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { scriptedChannels } from "./scripted-channels.ts";
import { API_KEY, OTHER_API_KEY, useSetting } from "./setting.ts";

const V1 = "/api/v1/notifications";
const WAIT = { timeout: 30_000, interval: 10 };
const UNKNOWN = "01920000-0000-7000-8000-000000000000";
const ISO = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
const ROOM = "550e8400-e29b-41d4-a716-446655440001";

interface Sent {
  readonly id: string;
  readonly status: string;
  readonly meta: Record<string, unknown> & { readonly delivery_details?: Record<string, unknown> };
  readonly created_at: string;
}

/** Tests all of `delivery-v1`, over scripted channels. */
export function deliveryV1Suite(harness: HttpHarness): void {
  describe("delivery-v1", () => {
    const channels = scriptedChannels();
    const contracts = [inboxV1(), deliveryV1()];
    const setting = useSetting(harness, { contracts }, {}, { channels: [channels.email, channels.webhook] });
    const key = { "x-api-key": API_KEY };

    const call = (method: string, path = "", more: Ask = {}) =>
      ask(`${setting.url}${V1}${path}`, { method, ...more, headers: { ...key, ...more.headers } });
    const data = (answer: { body: unknown }) => (answer.body as { data: Sent }).data;
    const error = (answer: { status: number; body: unknown }) => [answer.status, (answer.body as { error?: { code: string } }).error?.code];

    async function send(body: object): Promise<Sent> {
      const answer = await call("POST", "/", { json: body });
      expect([answer.status, answer.body]).toMatchObject([201, { status: "success" }]);
      return data(answer);
    }

    async function settled(id: string): Promise<Sent> {
      await expect.poll(async () => data(await call("GET", `/${id}`)).status, WAIT).not.toBe("pending");
      return data(await call("GET", `/${id}`));
    }

    const email = { type: "email", recipients: ["john.doe@example.com"], subject: "Hello", content: "Hi" };
    const later = { scheduled_at: "2099-01-01T00:00:00Z" };

    test("the answer to the document's example has exactly its members", async () => {
      const body = {
        type: "email",
        room_id: ROOM,
        recipients: ["john.doe@example.com", "jane.smith@example.com"],
        subject: "New Message in General Discussion",
        content: "You have a new message in the General Discussion room.",
        email_fallback: true,
        meta: { priority: "normal", category: "message_notification", room_name: "General Discussion", sender: "John Doe" },
      };
      const answer = await call("POST", "/", { json: body });
      expect([answer.status, answer.body]).toEqual([
        201,
        {
          data: {
            ...body,
            id: expect.stringMatching(/^[0-9a-f-]{36}$/),
            client_id: "acme",
            status: "pending",
            delivery_attempts: 0,
            delivered_at: null,
            failed_at: null,
            created_at: ISO,
            updated_at: ISO,
          },
          status: "success",
        },
      ]);
    });

    test("email_fallback is answered as it was sent, and only a websocket notification has an e-mail that stands in", async () => {
      const webhook = { type: "webhook", recipients: ["https://gone.example/in"], content: "x" };
      for (const [body, more, expected] of [
        [webhook, {}, false],
        [webhook, { email_fallback: true }, true],
        [{ ...email, recipients: ["gone@example.com"] }, { email_fallback: true }, true],
      ] as const) {
        const { id } = await send({ ...body, ...more });
        expect(await settled(id)).toMatchObject({ status: "failed", email_fallback: expected, delivery_attempts: 1 });
        expect((await call("GET", `/${id}/deliveries`)).body).toMatchObject({ data: [{ is_fallback: false }], pagination: { total: 1 } });
      }
      const create = (more: object) => call("POST", "/", { json: { ...webhook, ...more }, headers: { "idempotency-key": "asks" } });
      expect((await create({ email_fallback: true })).status).toBe(201);
      expect((await create({ email_fallback: true })).status).toBe(201);
      expect(error(await create({}))).toEqual([422, "VALIDATION_ERROR"]);
    });

    test("a delivered notification shows when, how, and each attempt", async () => {
      const { id } = await send(email);
      const sent = await settled(id);
      expect(sent).toMatchObject({
        status: "delivered",
        delivery_attempts: 1,
        delivered_at: ISO,
        failed_at: null,
        meta: {
          delivery_details: {
            provider: "email",
            message_id: expect.stringMatching(/^message-/),
            attempts: [
              { timestamp: ISO, status: "delivered", recipient: "john.doe@example.com", provider_response: "250 2.0.0 OK", error: null },
            ],
            fallback_used: false,
          },
        },
      });
      const deliveries = await call("GET", `/${id}/deliveries`);
      expect(deliveries).toMatchObject({
        status: 200,
        body: {
          data: [{ type: "email", recipient: "john.doe@example.com", status: "delivered", attempts: [{ attempt: 1 }] }],
          status: "success",
        },
      });
    });

    test("a failed notification says why; one failure of two is partial; retried attempts are counted", async () => {
      const failed = await settled((await send({ ...email, recipients: ["gone@example.com"] })).id);
      expect(failed).toMatchObject({
        status: "failed",
        failed_at: ISO,
        meta: {
          delivery_details: {
            error: { code: "DELIVERY_FAILED", details: { provider_error: "It is gone.", retry_possible: false } },
          },
        },
      });
      const busy = await settled((await send({ type: "webhook", recipients: ["https://busy.example/in"], content: "x" })).id);
      expect(busy).toMatchObject({ status: "failed", delivery_attempts: 3 });
      const partial = await settled((await send({ ...email, recipients: ["a@example.com", "gone@example.com"] })).id);
      expect(partial.status).toBe("partial");
      const taken = await settled((await send({ ...email, recipients: ["taken@example.com"] })).id);
      expect(taken.status).toBe("sent");
    });

    test("a retry starts failed deliveries anew, and counts the attempt about to run", async () => {
      const { id } = await settled((await send({ ...email, recipients: ["gone@example.com", "ok@example.com"] })).id);
      const answer = await call("POST", `/${id}/retry`);
      expect([answer.status, answer.body]).toEqual([
        200,
        {
          data: { id, status: "pending", delivery_attempts: 2, updated_at: ISO },
          message: "Notification queued for retry",
          status: "success",
        },
      ]);
      expect(await settled(id)).toMatchObject({ status: "partial", delivery_attempts: 2 });
      expect(
        channels.email.tasks.filter(({ notificationId, recipient }) => notificationId === id && recipient === "ok@example.com"),
      ).toHaveLength(1);
    });

    test("a pending notification can be changed and cancelled, and after that neither", async () => {
      const { id } = await send({ ...email, ...later });
      const changed = await call("PUT", `/${id}`, { json: { subject: "New", meta: { priority: "high" } } });
      expect(changed).toMatchObject({
        status: 200,
        body: { data: { subject: "New", content: "Hi", meta: { priority: "high" } }, status: "success" },
      });
      const cancelled = await call("POST", `/${id}/cancel`, { headers: { "content-type": "application/json" } });
      expect([cancelled.status, cancelled.body]).toEqual([
        200,
        { data: { id, status: "cancelled", updated_at: ISO }, message: "Notification cancelled successfully", status: "success" },
      ]);
      for (const [method, path, more] of [
        ["PUT", "", { json: { content: "x" } }],
        ["POST", "/cancel", {}],
        ["POST", "/retry", {}],
      ] as const) {
        expect(error(await call(method, `/${id}${path}`, more))).toEqual([409, "INVALID_STATE"]);
      }
      expect(channels.email.tasks.some(({ notificationId }) => notificationId === id)).toBe(false);
    });

    test("a deleted notification is gone with its deliveries and inbox items", async () => {
      const { id } = await send({ type: "websocket", recipients: ["deleted-from"], content: "x" });
      const inbox = setting.service.tenant("acme").inbox("deleted-from");
      expect((await inbox.counts()).total).toBe(1);
      const answer = await call("DELETE", `/${id}`);
      expect([answer.status, answer.body]).toEqual([200, { message: "Notification deleted successfully", status: "success" }]);
      expect((await inbox.counts()).total).toBe(0);
      for (const path of ["", "/deliveries"]) {
        expect(error(await call("GET", `/${id}${path}`))).toEqual([404, "NOT_FOUND"]);
      }
    });

    test("a websocket notification is in its users' inboxes at once, with its type, title and data", async () => {
      const meta = { notification_type: "message", action_url: "/rooms/1", icon: "message" };
      const { id } = await send({
        type: "websocket",
        room_id: ROOM,
        recipients: ["user_123", "user_456"],
        subject: "Title",
        content: "New message",
        meta,
      });
      const list = await ask(`${setting.url}${V1}`, { headers: await setting.bearer("user_123", "acme") });
      expect(list.body).toMatchObject({
        notifications: [
          { id, type: "message", title: "Title", message: "New message", data: { action_url: "/rooms/1", icon: "message", room_id: ROOM } },
        ],
      });
      expect(await settled(id)).toMatchObject({ status: "failed", room_id: ROOM, meta: { action_url: "/rooms/1" } });
      await ask(`${setting.url}${V1}/${id}/read`, { method: "PATCH", headers: await setting.bearer("user_123", "acme") });
      expect(data(await call("GET", `/${id}`)).status).toBe("partial");
      await ask(`${setting.url}${V1}/read-all`, { method: "POST", headers: await setting.bearer("user_456", "acme") });
      expect(data(await call("GET", `/${id}`)).status).toBe("delivered");
    });

    test("an offline user gets the fallback's e-mail, and the answer says so; a delayed one waits, and a read in time stops it", async () => {
      const now = await settled(
        (await send({ type: "websocket", recipients: ["off@example.com"], content: "x", email_fallback: true })).id,
      );
      expect(now).toMatchObject({ status: "delivered", meta: { delivery_details: { fallback_used: true } } });
      const waiting = {
        type: "websocket",
        recipients: ["wait@example.com"],
        content: "x",
        email_fallback: true,
        meta: { fallback_delay: 3_600 },
      };
      const { id } = await send(waiting);
      await expect
        .poll(
          async () => ((await call("GET", `/${id}/deliveries`)).body as { data: { status: string }[] }).data.map(({ status }) => status),
          WAIT,
        )
        .toEqual(["failed", "waiting"]);
      expect(data(await call("GET", `/${id}`)).status).toBe("pending");
      await ask(`${setting.url}${V1}/${id}/read`, { method: "PATCH", headers: await setting.bearer("wait@example.com", "acme") });
      expect(data(await call("GET", `/${id}`)).status).toBe("delivered");
      expect(channels.email.tasks.some(({ notificationId }) => notificationId === id)).toBe(false);
    });

    test("a list takes every filter and order, and pages", async () => {
      const room = "550e8400-e29b-41d4-a716-4466554400ff";
      const ids: string[] = [];
      for (const more of [
        { type: "email", recipients: ["first@example.com"] },
        { type: "webhook", recipients: ["https://x.example"] },
        { type: "email", recipients: ["gone@example.com"] },
      ]) {
        ids.push((await send({ content: "x", room_id: room, ...more })).id);
      }
      await Promise.all(ids.map(settled));
      const names = (answer: { body: unknown }) => (answer.body as { data: Sent[] }).data.map(({ id }) => ids.indexOf(id));
      const list = async (query: string) => names(await call("GET", `/?room_id=${room}${query}`));
      expect(await list("")).toEqual([2, 1, 0]);
      expect(await list("&sort=created_at")).toEqual([0, 1, 2]);
      expect(await list("&sort=status")).toEqual([1, 0, 2]);
      expect(await list("&type=email")).toEqual([2, 0]);
      expect(await list("&status=delivered")).toEqual([1, 0]);
      expect(await list("&recipient=first%40example.com")).toEqual([0]);
      const first = data(await call("GET", `/${ids[0]}`)).created_at;
      expect(await list(`&created_before=${first}`)).toEqual([]);
      expect(await list("&created_before=2020-01-01&unknown=x")).toEqual([]);
      expect(await list("&created_after=2020-01-01T00:00:00%2B02:00")).toEqual([2, 1, 0]);
      // Times that one database or the other has no form for.
      for (const time of ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00%2B14:00"]) {
        expect(await list(`&created_after=${time}`)).toEqual([2, 1, 0]);
      }
      for (const time of ["created_before=0000-06-01", "created_after=9999-12-31T23:59:59-12:00"]) {
        expect(await list(`&${time}`)).toEqual([]);
      }
      const page = await call("GET", `/?room_id=${room}&limit=2`);
      expect(page.body).toMatchObject({ pagination: { skip: 0, limit: 2, total: 3, has_more: true }, status: "success" });
      expect((await call("GET", `/?room_id=${room}&skip=2`)).body).toMatchObject({
        pagination: { skip: 2, limit: 50, total: 3, has_more: false },
      });
    });

    test("what was skipped is cancelled in this contract's words: by itself, in lists and in counts", async () => {
      const room = "550e8400-e29b-41d4-a716-4466554400ab";
      // It is due when its time is over.
      const expiresAt = new Date(Date.now() + 2_000);
      const scheduledAt = expiresAt;
      const input = { to: { email: "late@example.com" }, message: "x", roomId: room, scheduledAt, expiresAt };
      const { notification } = await setting.service.tenant("acme").create(input);
      expect(await settled(notification.id)).toMatchObject({ status: "cancelled", meta: {} });
      const answers = await Promise.all(
        [`/${notification.id}/deliveries`, `/?room_id=${room}&status=cancelled`, `/analytics?room_id=${room}`].map((path) =>
          call("GET", path),
        ),
      );
      expect(answers.map(({ body }) => body)).toMatchObject([
        { data: [{ status: "cancelled", reason: null, attempts: [] }] },
        { data: [{ id: notification.id, status: "cancelled" }], pagination: { total: 1 } },
        { data: { total_notifications: 1, by_status: { cancelled: 1, pending: 0 } } },
      ]);
    });

    test("analytics count whole days, both ends included, by status and type", async () => {
      const room = "550e8400-e29b-41d4-a716-4466554400aa";
      const ids = [
        (await send({ ...email, room_id: room })).id,
        (await send({ type: "websocket", recipients: ["stat@example.com"], content: "x", email_fallback: true, room_id: room })).id,
        (await send({ ...email, recipients: ["gone@example.com"], room_id: room })).id,
      ];
      await Promise.all(ids.map(settled));
      const today = new Date().toISOString().slice(0, 10);
      const answer = await call("GET", `/analytics?room_id=${room}&date_from=2024-01-01&date_to=2999-12-31`);
      const whole = await call("GET", `/analytics?room_id=${room}&date_from=0000-01-01&date_to=9999-12-31`);
      expect([whole.status, whole.body]).toEqual([200, answer.body]);
      expect([answer.status, answer.body]).toEqual([
        200,
        {
          data: {
            total_notifications: 3,
            by_status: { pending: 0, sent: 0, delivered: 2, failed: 1, partial: 0, cancelled: 0 },
            by_type: { email: 2, websocket: 1, webhook: 0 },
            delivery_rate: 66.7,
            fallback_usage: 33.3,
          },
          status: "success",
        },
      ]);
      expect((await call("GET", `/analytics?room_id=${room}&type=websocket&date_from=${today}`)).body).toMatchObject({
        data: { total_notifications: 1 },
      });
      const none = { total_notifications: 0, delivery_rate: 0, fallback_usage: 0 };
      expect((await call("GET", `/analytics?room_id=${room}&date_to=2024-01-01`)).body).toMatchObject({ data: none });
    });

    test("a body without its fields names each that is required", async () => {
      const fields = ["type", "recipients", "content"].map((field) => ({ field, message: "Field required" }));
      expect((await call("POST", "/", { json: {} })).body).toMatchObject({ error: { code: "VALIDATION_ERROR", details: { fields } } });
    });

    test.each<[string, object, number, string]>([
      ["no recipients", { ...email, recipients: [] }, 422, "VALIDATION_ERROR"],
      ["a list of addresses in one", { ...email, recipients: ["a@x.example, b@x.example"] }, 422, "INVALID_RECIPIENTS"],
      ["an address with a line break", { ...email, recipients: ["a@x.example\r\nBcc: b@x.example"] }, 422, "INVALID_RECIPIENTS"],
      ["a URL with user info", { type: "webhook", recipients: ["https://user:pass@x.example"], content: "x" }, 422, "INVALID_RECIPIENTS"],
      ["content too long", { ...email, content: "x".repeat(10_001) }, 422, "CONTENT_TOO_LONG"],
      ["an unknown type", { ...email, type: "fax" }, 422, "VALIDATION_ERROR"],
      ["no content", { type: "email", recipients: ["a@x.example"] }, 422, "VALIDATION_ERROR"],
      ["a subject of two lines", { ...email, subject: "a\r\nBcc: b@x.example" }, 422, "VALIDATION_ERROR"],
      ["a room that is no UUID", { ...email, room_id: "x" }, 422, "VALIDATION_ERROR"],
      ["a schedule that is no time", { ...email, scheduled_at: "tomorrow" }, 422, "VALIDATION_ERROR"],
      ["a schedule beyond all years", { ...email, scheduled_at: "+275760-09-13T00:00:00Z" }, 422, "VALIDATION_ERROR"],
      [
        "a negative delay",
        { type: "websocket", recipients: ["u"], content: "x", email_fallback: true, meta: { fallback_delay: -1 } },
        422,
        "VALIDATION_ERROR",
      ],
      [
        "an endless delay",
        { type: "websocket", recipients: ["u"], content: "x", email_fallback: true, meta: { fallback_delay: 1e12 } },
        422,
        "VALIDATION_ERROR",
      ],
      ["a NUL in the content", { ...email, content: "a\u0000b" }, 422, "VALIDATION_ERROR"],
      ["half a surrogate pair", { ...email, subject: "\ud800" }, 422, "VALIDATION_ERROR"],
      ["no object", [], 422, "VALIDATION_ERROR"],
    ])("row 16: %s is refused, and nothing is stored", async (_, json, status, code) => {
      const before = (await call("GET", "/?limit=1")).body as { pagination: { total: number } };
      expect(error(await call("POST", "/", { json }))).toEqual([status, code]);
      expect((await call("GET", "/?limit=1")).body).toMatchObject({ pagination: { total: before.pagination.total } });
    });

    test("refusals carry the document's details", async () => {
      const invalid = await call("POST", "/", { json: { ...email, recipients: ["invalid-email", "user@example.com"] } });
      expect(invalid.body).toEqual({
        error: {
          code: "INVALID_RECIPIENTS",
          message: "One or more recipients are invalid",
          details: { invalid: ["invalid-email"], valid: ["user@example.com"] },
        },
        status: "error",
      });
      const long = await call("POST", "/", { json: { ...email, content: "😀".repeat(12_000) } });
      expect(long.body).toMatchObject({ error: { details: { max_length: 10_000, current_length: 12_000 } } });
      const provider = await call("POST", "/", { json: email, headers: { "x-api-key": OTHER_API_KEY } });
      expect([provider.status, provider.body]).toEqual([
        409,
        {
          error: { code: "EMAIL_PROVIDER_NOT_CONFIGURED", message: "Email provider must be configured to send email notifications" },
          status: "error",
        },
      ]);
    });

    test.each([
      "limit=0",
      "limit=101",
      "limit=x",
      "skip=-1",
      "type=fax",
      "status=open",
      "sort=id;drop table",
      "room_id=x",
      "created_after=soon",
      "created_before=2024-02-30",
      "created_after=2024-02-30T00:00:00%2B02:00",
      "created_after=2027-02-29",
    ])("rows 13, 14: the list refuses ?%s", async (query) => {
      expect(error(await call("GET", `/?${query}`))).toEqual([422, "VALIDATION_ERROR"]);
    });

    test("a member of meta that is called __proto__ is kept as plain data", async () => {
      const raw = '{"type":"websocket","recipients":["proto"],"content":"x","meta":{"__proto__":{"x":1},"a":1}}';
      const created = await call("POST", "/", { raw, headers: { "content-type": "application/json" } });
      expect(created.status).toBe(201);
      for (const answer of [created, await call("GET", `/${data(created).id}`)]) {
        expect(JSON.stringify(data(answer).meta)).toMatch(/^\{"__proto__":\{"x":1\},"a":1/);
      }
    });

    test("bad JSON is 400, a body of another kind 415, one that is too large 413", async () => {
      const json = { "content-type": "application/json" };
      expect(error(await call("POST", "/", { raw: "{", headers: json }))).toEqual([400, "INVALID_JSON"]);
      expect(error(await call("POST", "/", { raw: "{}", headers: { "content-type": "text/plain" } }))).toEqual([
        415,
        "UNSUPPORTED_MEDIA_TYPE",
      ]);
      const raw = JSON.stringify({ ...email, meta: { x: "x".repeat(1024 * 1024) } });
      expect(error(await call("POST", "/", { raw, headers: json }))).toEqual([413, "PAYLOAD_TOO_LARGE"]);
    });

    test("a method that a path does not have is 405, with those it has", async () => {
      const answer = await call("PATCH", `/${UNKNOWN}`);
      expect([...error(answer), answer.headers.get("allow")?.split(", ").toSorted()]).toEqual([
        405,
        "METHOD_NOT_ALLOWED",
        ["DELETE", "GET", "PUT"],
      ]);
    });

    test("row 15: one idempotency key makes one notification: at once, again, with another body, for another client", async () => {
      const create = (json: object, headers: Record<string, string> = {}) =>
        call("POST", "/", { json, headers: { "idempotency-key": "the key", ...headers } });
      const body = { type: "websocket", recipients: ["keyed"], content: "x" };
      const first = await Promise.all(Array.from({ length: 20 }, () => create(body)));
      expect(new Set(first.map((answer) => JSON.stringify([answer.status, answer.body]))).size).toBe(1);
      expect((await create({ content: "x", recipients: ["keyed"], type: "websocket" })).body).toEqual(first[0]?.body);
      expect(error(await create({ ...body, content: "y" }))).toEqual([422, "VALIDATION_ERROR"]);
      const other = await create(body, { "x-api-key": OTHER_API_KEY });
      expect([other.status, data(other).id === data(first[0] as { body: unknown }).id]).toEqual([201, false]);
      expect((await setting.service.tenant("acme").inbox("keyed").counts()).total).toBe(1);
      expect((await create(body, { "idempotency-key": "x".repeat(256) })).status).toBe(400);
    });

    test("row 1: another client's notification is answered as an unknown one, byte by byte, on every route", async () => {
      const { id } = await send({ ...email, ...later });
      for (const [method, path, json] of [
        ["GET", "", undefined],
        ["GET", "/deliveries", undefined],
        ["PUT", "", { content: "x" }],
        ["POST", "/cancel", undefined],
        ["POST", "/retry", undefined],
        ["DELETE", "", undefined],
      ] as const) {
        const asked = async (of: string) => {
          const answer = await call(method, `/${of}${path}`, { headers: { "x-api-key": OTHER_API_KEY }, ...(json ? { json } : {}) });
          return [answer.status, JSON.stringify(answer.body).replaceAll(of, "<id>")];
        };
        expect(await asked(id)).toEqual(await asked(UNKNOWN));
        expect((await asked("no-uuid"))[0]).toBe(404);
      }
      expect(data(await call("GET", `/${id}`)).status).toBe("pending");
      expect(JSON.stringify((await call("GET", "/?limit=100", { headers: { "x-api-key": OTHER_API_KEY } })).body)).not.toContain(id);
    });

    test("row 4: the credential decides who answers on the shared path", async () => {
      const path = `${setting.url}${V1}`;
      expect((await ask(path, { headers: await setting.bearer("shared") })).body).toHaveProperty("notifications");
      expect((await ask(path, { headers: { authorization: `Bearer ${API_KEY}` } })).body).toHaveProperty("pagination");
      expect((await ask(path)).body).toEqual({ detail: "Not authenticated" });
      const bad = await ask(path, { headers: { "x-api-key": "wrong" } });
      expect([bad.status, bad.body]).toEqual([
        401,
        { error: { code: "UNAUTHENTICATED", message: "The API key is not valid" }, status: "error" },
      ]);
      expect((await ask(path, { headers: { authorization: "Bearer wrong" } })).body).toEqual({ detail: "Could not validate credentials" });
      expect((await ask(`${path}?api_key=${API_KEY}`)).status).toBe(401);
      // A user may not use a client's routes, nor a client a user's.
      expect(error(await call("POST", "/read-all"))[0]).toBe(405);
      expect((await ask(`${path}/analytics`, { headers: await setting.bearer("shared") })).status).toBe(405);
    });

    test("the audit log has who created, changed, cancelled, retried and deleted each notification", async () => {
      const { id } = await send({ ...email, ...later });
      await call("PUT", `/${id}`, { json: { content: "y" } });
      await call("POST", `/${id}/cancel`);
      await call("DELETE", `/${id}`);
      const log = await setting.service.tenant("acme").operator.auditLog({ limit: 1_000 });
      const own = log.filter(({ notificationId }) => notificationId === id).map(({ action, actor }) => `${actor} ${action}`);
      expect(own).toEqual(["deleted", "cancelled", "updated", "created"].map((action) => `client:acme ${action}`));
    });
  });
}
