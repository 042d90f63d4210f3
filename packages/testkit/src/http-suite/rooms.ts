import { deliveryV1 } from "@belfry/core/contracts";
import { describe, expect, test } from "vitest";
import { ask } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { scriptedChannels } from "./scripted-channels.ts";
import { API_KEY, useSetting } from "./setting.ts";

const ROOM = "550e8400-e29b-41d4-a716-446655440077";

/** Tests that the rooms of `delivery-v1` are topics. */
export function roomsSuite(harness: HttpHarness): void {
  describe("rooms of delivery-v1", () => {
    const channels = scriptedChannels();
    const setting = useSetting(harness, { contracts: [deliveryV1()] }, {}, { channels: [channels.email] });
    const create = (json: object, headers: Readonly<Record<string, string>> = {}) =>
      ask(`${setting.url}/api/v1/notifications/`, { method: "POST", json, headers: { "x-api-key": API_KEY, ...headers } });
    const dataOf = ({ body }: { readonly body: unknown }) => (body as { readonly data: { readonly id: string } }).data;

    test.each([
      ["with an empty list", { recipients: [] }],
      ["with null", { recipients: null }],
      ["without the field", {}],
    ])("a websocket notification for a room that names nobody, %s, reaches the room's subscribers", async (_, named) => {
      const room = crypto.randomUUID();
      const acme = setting.service.tenant("acme");
      await acme.topics.subscribe(`room:${room}`, ["member_1", "member_2"]);
      await setting.service.tenant("globex").topics.subscribe(`room:${room}`, "member_3");
      const sent = await create({ type: "websocket", room_id: room.toUpperCase(), ...named, subject: "To all", content: "x" });
      expect(sent).toMatchObject({ status: 201, body: { data: { type: "websocket", room_id: room, status: "pending" } } });
      const { id } = dataOf(sent);
      for (const [user, titles] of [
        ["member_1", ["To all"]],
        ["member_2", ["To all"]],
        ["member_3", []],
      ] as const) {
        const { items } = await acme.inbox(user).list();
        expect(items.map(({ title }) => title).slice(0, titles.length)).toEqual(titles);
        expect(items.filter(({ data }) => data.room_id === room).length).toBe(titles.length);
      }
      expect((await acme.timeline(id)).topics).toEqual([`room:${room}`]);
    });

    test.each([
      { type: "websocket", recipients: [], content: "x" },
      { type: "websocket", content: "x" },
      { type: "websocket", content: "x", room_id: null },
      { type: "email", subject: "Hello", content: "Hi", room_id: ROOM, recipients: [] },
      { type: "email", subject: "Hello", content: "Hi", room_id: ROOM },
      { type: "webhook", content: "Hi", room_id: ROOM, recipients: null },
    ])("others have to name somebody: %j", async (body) => {
      const refused = await create(body);
      expect(refused).toMatchObject({ status: 422, body: { error: { code: "VALIDATION_ERROR" } } });
      expect((refused.body as { error: { details: object } }).error.details).toMatchObject({ fields: [{ field: "recipients" }] });
    });

    test("those named in a room get it alone, and a room without subscribers has nobody", async () => {
      const room = crypto.randomUUID();
      await setting.service.tenant("acme").topics.subscribe(`room:${room}`, "quiet_member");
      expect(await create({ type: "websocket", room_id: room, recipients: ["guest"], content: "x" })).toMatchObject({ status: 201 });
      expect((await setting.service.tenant("acme").inbox("quiet_member").list()).items).toEqual([]);
      const empty = await create({ type: "websocket", room_id: crypto.randomUUID(), content: "x" });
      expect(empty).toMatchObject({ status: 201, body: { data: { recipients: [] } } });
    });

    test("members who are offline get the e-mail of the fallback, and the room is found again in the list", async () => {
      const room = crypto.randomUUID();
      await setting.service.tenant("acme").topics.subscribe(`room:${room}`, ["away@example.com", "afar@example.com"]);
      const { id } = dataOf(await create({ type: "websocket", room_id: room, subject: "Hi", content: "x", email_fallback: true }));
      const mailed = () => channels.email.tasks.filter(({ notificationId }) => notificationId === id).map(({ address }) => address);
      await expect.poll(() => mailed().toSorted()).toEqual(["afar@example.com", "away@example.com"]);
      const listed = await ask(`${setting.url}/api/v1/notifications/?room_id=${room}`, { headers: { "x-api-key": API_KEY } });
      expect(listed.body).toMatchObject({ data: [{ id, recipients: ["afar@example.com", "away@example.com"], email_fallback: true }] });
    });

    test("a room of 2,500 gets it in the background, each member once; the same key again answers the same", async () => {
      const room = crypto.randomUUID();
      const acme = setting.service.tenant("acme");
      const members = Array.from({ length: 2_500 }, (_, at) => `crowd_${String(at).padStart(4, "0")}`);
      for (const start of [0, 1_000, 2_000]) {
        await acme.topics.subscribe(`room:${room}`, members.slice(start, start + 1_000));
      }
      const body = { type: "websocket", room_id: room, content: "x" };
      const first = await create(body, { "idempotency-key": room });
      const again = await create({ ...body, recipients: [] }, { "idempotency-key": room });
      // The headers have the time.
      expect([again.status, again.body]).toEqual([first.status, first.body]);
      const unread = async (userId: string | undefined) => (await acme.inbox(userId ?? "").counts()).unread;
      await expect.poll(() => unread(members.at(-1)), { timeout: 30_000 }).toBe(1);
      for (const place of [0, 999, 1_000, 1_777, 2_498]) {
        expect(await unread(members[place])).toBe(1);
      }
    });
  });
}
