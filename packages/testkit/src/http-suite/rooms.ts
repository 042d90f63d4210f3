import { deliveryV1 } from "@belfry/core/contracts";
import { describe, expect, test } from "vitest";
import { ask } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { scriptedChannels } from "./scripted-channels.ts";
import { API_KEY, useSetting } from "./setting.ts";

/** Tests that the rooms of `delivery-v1` are topics. */
export function roomsSuite(harness: HttpHarness): void {
  describe("rooms of delivery-v1", () => {
    const channels = scriptedChannels();
    const setting = useSetting(harness, { contracts: [deliveryV1()] }, {}, { channels: [channels.email] });
    const create = (json: object) =>
      ask(`${setting.url}/api/v1/notifications/`, { method: "POST", json, headers: { "x-api-key": API_KEY } });

    test("a websocket notification for a room, without recipients, reaches the room's subscribers; others have to name somebody", async () => {
      const room = "550e8400-e29b-41d4-a716-446655440077";
      const acme = setting.service.tenant("acme");
      await acme.topics.subscribe(`room:${room}`, ["member_1", "member_2"]);
      await setting.service.tenant("globex").topics.subscribe(`room:${room}`, "member_3");
      const sent = await create({ type: "websocket", room_id: room, recipients: [], subject: "To all", content: "x" });
      expect(sent.status).toBe(201);
      const { id } = (sent.body as { data: { id: string } }).data;
      for (const [user, titles] of [
        ["member_1", ["To all"]],
        ["member_2", ["To all"]],
        ["member_3", []],
      ] as const) {
        const { items } = await acme.inbox(user).list();
        expect(items.map(({ title }) => title)).toEqual(titles);
      }
      expect((await acme.timeline(id)).topics).toEqual([`room:${room}`]);
      for (const body of [
        { type: "websocket", recipients: [], content: "x" },
        { type: "email", subject: "Hello", content: "Hi", room_id: room, recipients: [] },
      ]) {
        expect(await create(body)).toMatchObject({ status: 422, body: { error: { code: "VALIDATION_ERROR" } } });
      }
    });
  });
}
