import { describe, expect, test } from "vitest";
import { testClock } from "../host/test-clock.ts";
import { ask, jwt } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { useSetting } from "./setting.ts";
import { type Received, SocketClient } from "./socket-client.ts";
import { StreamClient } from "./stream-client.ts";

const LIST = "/api/v1/notifications";
const HOUR_MS = 3_600_000;
const WAIT = { timeout: 30_000, interval: 20 };

/** Tests that `inbox-v1` shows at its time what the clock changes, to streams and to those who ask. */
export function dueItemsSuite(harness: HttpHarness): void {
  describe("inbox-v1 and the clock", () => {
    const clock = testClock();
    const setting = useSetting(harness, {}, {}, { clock });
    const seen = async (headers: Readonly<Record<string, string>>) => {
      const { body } = await ask(`${setting.url}${LIST}`, { headers });
      const { notifications, unread_count } = body as { notifications: { title: string }[]; unread_count: number };
      const counted = (await ask(`${setting.url}${LIST}/unread-count`, { headers })).body as { count: number };
      return [notifications.map(({ title }) => title), unread_count, counted.count];
    };

    test("an item that expires is deleted at its time; one that was snoozed comes back unread, unless it has expired", async () => {
      const headers = await setting.bearer("due");
      const create = async (title: string, expiresAt?: Date) =>
        (await setting.service.create({ to: "due", title, ...(expiresAt === undefined ? {} : { expiresAt }) })).notification.id;
      const [inAnHour, inTwo] = [1, 2].map((hours) => new Date(clock.now() + hours * HOUR_MS)) as [Date, Date];
      const kept = await create("kept");
      const over = await create("over", inAnHour);
      const both = await create("both", inAnHour);
      const stream = await new StreamClient().open(`${setting.url}${LIST}/stream`, headers);
      const socket = await new SocketClient(`${setting.url}/api/v1/ws/events?token=${await jwt("due")}`).ready();
      await stream.received.count(1);
      const inbox = setting.service.inbox("due");
      await inbox.markRead(kept);
      await inbox.snooze(kept, inTwo);
      await inbox.snooze(both, inTwo);
      expect(await seen(headers)).toEqual([["over"], 1, 1]);
      await clock.passTo(inAnHour);
      // A read that meets somebody who does what is due answers as it was.
      await expect.poll(() => seen(headers), WAIT).toEqual([[], 0, 0]);
      const expected = [
        ["notification_read", kept],
        ["notification_deleted", kept],
        ["notification_deleted", both],
        ["notification_deleted", over],
      ];
      const told = (frames: Received["frames"]) =>
        frames.filter(({ type }) => type?.startsWith("notification_")).map(({ type, entity_id }) => [type, entity_id]);
      for (const { received } of [stream, socket]) {
        await received.until(() => told(received.frames).length >= expected.length);
        expect(told(received.frames)).toEqual(expected);
      }
      await clock.passTo(inTwo);
      await expect.poll(() => seen(headers), WAIT).toEqual([["kept"], 1, 1]);
      stream.drop();
      socket.drop();
    });
  });
}
