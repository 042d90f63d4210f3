import { deliveryV1, inboxV1 } from "@belfry/core/contracts";
import { describe, expect, test } from "vitest";
import { type Ask, ask, jwt } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { scriptedChannels } from "./scripted-channels.ts";
import { API_KEY, useSetting } from "./setting.ts";
import { SocketClient } from "./socket-client.ts";

const V1 = "/api/v1/notifications";

interface Sent {
  readonly id: string;
  readonly status: string;
}

/** What a send of `delivery-v1` says elsewhere: its room in the inbox, its fallback in the analytics. */
export function sendsElsewhereSuite(harness: HttpHarness): void {
  describe("sends of delivery-v1, seen elsewhere", () => {
    const channels = scriptedChannels();
    const contracts = [inboxV1(), deliveryV1()];
    const setting = useSetting(harness, { contracts }, {}, { channels: [channels.email, channels.webhook] });

    const call = (method: string, path = "", more: Ask = {}) =>
      ask(`${setting.url}${V1}${path}`, { method, ...more, headers: { "x-api-key": API_KEY } });
    const data = (answer: { body: unknown }) => (answer.body as { data: Sent }).data;

    async function send(body: object): Promise<Sent> {
      const answer = await call("POST", "/", { json: body });
      expect(answer.status).toBe(201);
      return data(answer);
    }

    async function settled(id: string): Promise<Sent> {
      const now = async () => data(await call("GET", `/${id}`));
      await expect.poll(async () => (await now()).status).not.toBe("pending");
      return now();
    }

    test("D4: a room is in the frame and in the item, also after an update; inbox-v1 lists and follows one room", async () => {
      const room = "550e8400-e29b-41d4-a716-4466554400ee";
      const headers = await setting.bearer("roomer", "acme");
      const token = await jwt("roomer", { clientId: "acme" });
      const follow = (query: string) => new SocketClient(`${setting.url}/api/v1/ws/events?token=${token}&${query}`);
      const [inRoom, elsewhere] = [follow(`entity_types=room&entity_ids=${room}`), follow("entity_types=room&entity_ids=x")];
      expect(await inRoom.received.count(1)).toEqual([{ status: "subscribed", filters: { entity_types: ["room"], entity_ids: [room] } }]);
      await elsewhere.received.count(1);
      const none = await send({ type: "websocket", recipients: ["roomer"], content: "of no room" });
      const { id } = await send({ type: "websocket", room_id: room, recipients: ["roomer"], content: "of a room" });
      expect((await inRoom.received.count(2))[1]).toMatchObject({ type: "notification_new", payload: { id, data: { room_id: room } } });
      const listed = async (query: string) => (await ask(`${setting.url}${V1}?${query}`, { headers })).body;
      expect(await listed(`room_id=${room}`)).toMatchObject({ total: 1, unread_count: 2, notifications: [{ id }] });
      expect(await listed("room_id=x")).toMatchObject({ total: 0, notifications: [] });
      expect(await listed("")).toMatchObject({ total: 2, notifications: [{ id }, { id: none.id, data: {} }] });
      const waits = { type: "websocket", room_id: room, content: "x", email_fallback: true, meta: { fallback_delay: 3_600 } };
      const waiting = await send({ ...waits, recipients: ["away@example.com"] });
      const updated = await call("PUT", `/${waiting.id}`, { json: { meta: { a: 1 } } });
      expect(data(updated)).toMatchObject({ room_id: room, meta: { a: 1 } });
      const [item] = (await setting.service.tenant("acme").inbox("away@example.com").list({ roomId: room })).items;
      expect(item?.data).toEqual({ a: 1, room_id: room });
      await ask(`${setting.url}${V1}/${none.id}/read`, { method: "PATCH", headers });
      await ask(`${setting.url}${V1}/${id}/read`, { method: "PATCH", headers });
      expect((await inRoom.received.count(3))[2]).toMatchObject({ type: "notification_read", entity_id: id });
      expect(elsewhere.received.frames).toHaveLength(1);
      inRoom.drop();
      elsewhere.drop();
    });

    test("D3: a fallback without an address does not count as used", async () => {
      const room = "550e8400-e29b-41d4-a716-4466554400dd";
      const body = { type: "websocket", room_id: room, content: "x", email_fallback: true };
      const nobody = await settled((await send({ ...body, recipients: ["user_without_address"] })).id);
      expect(nobody).toMatchObject({ status: "failed", meta: { delivery_details: { fallback_used: false } } });
      const gone = await settled((await send({ ...body, recipients: ["gone@example.com"] })).id);
      expect(gone).toMatchObject({ status: "failed", meta: { delivery_details: { fallback_used: true } } });
      expect(data(await call("GET", `/analytics?room_id=${room}`))).toMatchObject({ total_notifications: 2, fallback_usage: 50 });
    });
  });
}
