import { describe, expect, test } from "vitest";
import { ask, jwt } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { useSetting } from "./setting.ts";
import { SocketClient } from "./socket-client.ts";
import { StreamClient } from "./stream-client.ts";

const SOCKET = "/api/v1/ws/events";
const STREAM = "/api/v1/notifications/stream";

/** Tests every frame of `inbox-v1` over a real WebSocket and real SSE. */
export function realtimeSuite(harness: HttpHarness): void {
  describe("inbox-v1 realtime", () => {
    const setting = useSetting(harness);
    const socket = async (userId: string, query = "") => new SocketClient(`${setting.url}${SOCKET}?token=${await jwt(userId)}${query}`);
    const create = async (to: string, title = "") => (await setting.service.create({ to, title, type: "note" })).notification;

    test("creating, reading, reading all and deleting each send their frame", async () => {
      const client = await (await socket("frames")).ready();
      const { id, createdAt } = await create("frames", "first");
      await create("frames", "second");
      const headers = await setting.bearer("frames");
      const marked = await ask(`${setting.url}/api/v1/notifications/${id}/read`, { method: "PATCH", headers });
      await ask(`${setting.url}/api/v1/notifications/read-all`, { method: "POST", headers });
      await ask(`${setting.url}/api/v1/notifications/${id}`, { method: "DELETE", headers });
      await setting.service.inbox("frames").removeRead();
      const [created, second, read, all, deleted, swept] = await client.received.count(6);
      const item = {
        id,
        user_id: "frames",
        type: "note",
        title: "first",
        message: "",
        data: {},
        status: "unread",
        read_at: null,
        created_at: createdAt.toISOString(),
      };
      const frame = (type: string, seq: number, payload: unknown, entity_id: string) => ({
        type,
        payload,
        event_type: type,
        entity_type: "notification",
        entity_id,
        seq,
        epoch: expect.any(String),
      });
      expect(created).toEqual(frame("notification_new", 1, item, id));
      expect(second).toMatchObject({ type: "notification_new", seq: 2, epoch: created?.epoch });
      expect(read).toEqual(frame("notification_read", 1, marked.body, id));
      expect(all).toEqual(frame("notification_read_all", 2, { count: 1 }, "frames"));
      expect(deleted).toEqual(frame("notification_deleted", 1, marked.body, id));
      expect(swept).toEqual(frame("notification_deleted_read", 2, { count: 1 }, "frames"));
      client.drop();
    });

    test("marking read again, and reading nothing, send no frame", async () => {
      const { id } = await create("quiet");
      const inbox = setting.service.inbox("quiet");
      await inbox.markRead(id);
      const client = await (await socket("quiet")).ready();
      await inbox.markRead(id);
      await inbox.markAllRead();
      await create("quiet", "end");
      expect((await client.received.count(1)).map(({ type }) => type)).toEqual(["notification_new"]);
      client.drop();
    });

    test("all sockets of a user get the event; those of other users and tenants do not", async () => {
      const mine = await Promise.all([socket("many"), socket("many")]);
      const [theirs, elsewhere] = [
        await socket("few"),
        new SocketClient(`${setting.url}${SOCKET}?token=${await jwt("many", { clientId: "acme" })}`),
      ];
      await Promise.all([...mine, theirs, elsewhere].map((client) => client.ready()));
      const { id } = await create("many");
      await create("few", "own");
      await setting.service.tenant("acme").create({ to: "many", title: "acme's" });
      for (const client of mine) {
        expect((await client.received.count(1)).map(({ entity_id }) => entity_id)).toEqual([id]);
      }
      expect((await theirs.received.count(1))[0]?.payload).toMatchObject({ title: "own" });
      expect((await elsewhere.received.count(1))[0]?.payload).toMatchObject({ title: "acme's" });
      for (const client of [...mine, theirs, elsewhere]) {
        client.drop();
      }
    });

    test("since and epoch replay the later items, in order, then the state", async () => {
      const first = await (await socket("resume")).ready();
      await create("resume", "a");
      const [seen] = await first.received.count(1);
      first.drop();
      await create("resume", "b");
      await create("resume", "c");
      const again = await socket("resume", `&since=${seen?.seq}&epoch=${seen?.epoch}`);
      const frames = await again.received.count(3);
      expect(frames.map(({ type, seq }) => [type, seq])).toEqual([
        ["notification_new", 2],
        ["notification_new", 3],
        ["inbox_state", undefined],
      ]);
      expect(frames[2]).toEqual({ type: "inbox_state", payload: { unread: 3, total: 3, recovered: true } });
      await create("resume", "d");
      expect((await again.received.count(4))[3]).toMatchObject({ type: "notification_new", seq: 4 });
      again.drop();
    });

    test.each(["since=-1", "since=9223372036854775808", "since=x", "since=1&epoch=stale", "since=99", "since=", "since=1.5"])(
      "row 32: %s cannot be replayed and says so",
      async (query) => {
        const userId = `lost ${query}`;
        await create(userId);
        const client = await socket(userId, `&${query}`);
        expect(await client.received.count(1)).toEqual([{ type: "inbox_state", payload: { unread: 1, total: 1, recovered: false } }]);
        client.drop();
      },
    );

    test("renewed epochs make a client start over", async () => {
      await create("restored");
      const client = await (await socket("restored")).ready();
      const before = await setting.service.inbox("restored").counts();
      await setting.service.renewEpochs();
      await client.received.until(() => client.received.frames.some((frame) => frame.payload?.recovered === false));
      client.drop();
      const again = await socket("restored", `&since=${before.lastSeq}&epoch=${before.epoch}`);
      expect((await again.received.count(1))[0]?.payload).toMatchObject({ recovered: false });
      again.drop();
    });

    test("subscribe narrows the frames that follow", async () => {
      const client = await (await socket("narrow")).ready();
      client.send({ type: "subscribe", event_types: ["notification_read"] });
      expect(await client.received.count(1)).toEqual([{ status: "subscribed", filters: { event_types: ["notification_read"] } }]);
      const { id } = await create("narrow");
      await setting.service.inbox("narrow").markRead(id);
      expect((await client.received.count(2))[1]).toMatchObject({ type: "notification_read" });
      client.drop();
    });

    test("event types, entity types and entity ids in the URL or in subscribe narrow the frames, and are answered", async () => {
      const urlFilters = "&event_types=notification_new,notification_read&entity_types=&entity_ids=";
      const typed = await socket("filters", urlFilters);
      expect(await typed.received.count(1)).toEqual([
        { status: "subscribed", filters: { event_types: ["notification_new", "notification_read"] } },
      ]);
      const entities = await socket("filters", "&entity_types=order&entity_ids=7,8");
      const filters = { entity_types: ["order"], entity_ids: ["7", "8"] };
      expect(await entities.received.count(1)).toEqual([{ status: "subscribed", filters }]);
      const other = await setting.service.create({ to: "filters", title: "Other", data: { entity_type: "invoice", entity_id: 7 } });
      const order = await setting.service.create({ to: "filters", title: "Order", data: { entity_type: "order", entity_id: 8 } });
      await setting.service.inbox("filters").remove(other.notification.id);
      await setting.service.inbox("filters").markRead(order.notification.id);
      const told = (client: SocketClient) => client.received.frames.slice(1).map(({ type, entity_id }) => [type, entity_id]);
      await typed.received.count(4);
      await entities.received.count(3);
      const [otherId, orderId] = [other.notification.id, order.notification.id];
      expect(told(typed)).toEqual([
        ["notification_new", otherId],
        ["notification_new", orderId],
        ["notification_read", orderId],
      ]);
      expect(told(entities)).toEqual([
        ["notification_new", orderId],
        ["notification_read", orderId],
      ]);
      entities.send({ type: "subscribe", entity_ids: [otherId], entity_types: "order" });
      expect((await entities.received.count(4))[3]).toEqual({ error: "entity_types must be a list of at most 100 texts" });
      entities.send({ type: "subscribe", entity_ids: [orderId] });
      expect((await entities.received.count(5))[4]).toEqual({ status: "subscribed", filters: { entity_ids: [orderId] } });
      typed.drop();
      entities.drop();
    });

    test("row 30: ack answers for the user's own item, and not for another user's or an unknown one", async () => {
      const { id } = await create("ack");
      const theirs = await create("other");
      const client = await (await socket("ack")).ready();
      for (const notification_id of [id, theirs.id, "01920000-0000-7000-8000-000000000000", 7]) {
        client.send({ type: "ack", notification_id });
      }
      const missing = { error: "Notification not found" };
      expect(await client.received.count(4)).toEqual([
        { status: "acknowledged", notification_id: id, fallback: "none" },
        missing,
        missing,
        missing,
      ]);
      client.drop();
    });

    test("row 31: broken JSON gets an error frame and the socket stays open", async () => {
      const client = await (await socket("garbage")).ready();
      client.send("{not json");
      client.send("[]");
      client.send({ type: "subscribe", event_types: "all" });
      expect(await client.received.count(3)).toEqual([
        { error: "Invalid JSON message" },
        { error: "Unknown message type" },
        { error: "event_types must be a list of at most 100 texts" },
      ]);
      await create("garbage");
      expect((await client.received.count(4))[3]).toMatchObject({ type: "notification_new" });
      client.drop();
    });

    test("row 25: no token, a wrong token and an expired token get an error frame and 4401", async () => {
      for (const token of ["", "x.y.z", await jwt("late", { expiresInS: -10 })]) {
        const client = new SocketClient(`${setting.url}${SOCKET}?token=${token}`);
        expect(await client.closed()).toBe(4401);
        expect(client.received.frames).toEqual([{ error: expect.any(String) }]);
      }
    });

    test("row 27: a message of 64 KiB and a byte closes with 1009", async () => {
      const client = await (await socket("large")).ready();
      client.send("x".repeat(64 * 1024 + 1));
      expect(await client.closed()).toBe(1009);
    });

    test("row 31: a flood of messages closes with 1008", async () => {
      const client = await (await socket("flood")).ready();
      for (let sent = 0; sent < 400; sent += 1) {
        client.send("{}");
      }
      expect(await client.closed()).toBe(1008);
    });

    test("row 33: SSE sends frames as events, with ids and the headers that keep proxies away", async () => {
      const client = await new StreamClient().open(`${setting.url}${STREAM}`, await setting.bearer("sse"));
      expect([client.status, client.headers.get("content-type"), client.headers.get("cache-control")]).toEqual([
        200,
        "text/event-stream; charset=utf-8",
        "no-cache, no-transform",
      ]);
      await client.received.count(1);
      await create("sse", "a\n\nevent: admin\ndata: x");
      const frames = await client.received.count(2);
      expect(frames[0]).toEqual({ type: "inbox_state", payload: { unread: 0, total: 0, recovered: true } });
      expect(frames[1]).toMatchObject({ type: "notification_new", payload: { title: "a\n\nevent: admin\ndata: x" } });
      expect(client.events.map(({ event }) => event)).toEqual(["inbox_state", "notification_new"]);
      expect(client.events[1]?.id).toBe(`${frames[1]?.epoch}:1`);
      client.drop();
    });

    test("SSE resumes from Last-Event-ID, even if nothing had arrived before the drop", async () => {
      const headers = await setting.bearer("sse2");
      const first = await new StreamClient().open(`${setting.url}${STREAM}`, headers);
      await first.received.count(1);
      first.drop();
      await create("sse2", "missed");
      const again = await new StreamClient().open(`${setting.url}${STREAM}`, { ...headers, "last-event-id": first.events[0]?.id ?? "" });
      expect((await again.received.count(2)).map(({ type, payload }) => [type, payload?.title ?? payload?.recovered])).toEqual([
        ["notification_new", "missed"],
        ["inbox_state", true],
      ]);
      again.drop();
    });

    test("a frame about an older item does not turn an SSE client's position back", async () => {
      const headers = await setting.bearer("sse4");
      const first = await create("sse4", "old");
      await create("sse4", "new");
      const client = await new StreamClient().open(`${setting.url}${STREAM}`, headers);
      await client.received.count(1);
      await setting.service.inbox("sse4").markRead(first.id);
      await client.received.count(2);
      const { epoch } = await setting.service.inbox("sse4").counts();
      expect(client.events).toEqual([
        { event: "inbox_state", id: `${epoch}:2` },
        { event: "notification_read", id: `${epoch}:2` },
      ]);
      client.drop();
    });

    test("SSE takes the token in the query too, and refuses a bad one with 401", async () => {
      const client = await new StreamClient().open(`${setting.url}${STREAM}?token=${await jwt("sse3")}`, {});
      expect(client.status).toBe(200);
      client.drop();
      expect((await ask(`${setting.url}${STREAM}?token=x`)).status).toBe(401);
      expect((await ask(`${setting.url}${STREAM}`)).status).toBe(401);
    });
  });

  describe("a closing server", () => {
    const setting = useSetting(harness, { allowedOrigins: ["https://app.example.com"] });

    test("row 23: origins that are not allowed are refused at the handshake", async () => {
      const url = `${setting.url}${SOCKET}?token=${await jwt("origin")}`;
      const foreign = new SocketClient(url, { origin: "https://evil.example.com" });
      expect(await foreign.closed()).toBe(1006);
      const own = await new SocketClient(url, { origin: "https://app.example.com" }).ready();
      own.drop();
    });
  });
}
