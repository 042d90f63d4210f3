import { describe, expect, test } from "vitest";
import { jwt } from "./client.ts";
import { HandClock } from "./hand-clock.ts";
import type { HttpHarness } from "./harness.ts";
import { useSetting } from "./setting.ts";
import { SocketClient } from "./socket-client.ts";
import { StreamClient } from "./stream-client.ts";

const SOCKET = "/api/v1/ws/events";

/** Tests open streams as time passes, and sockets that misuse the server. */
export function limitsSuite(harness: HttpHarness): void {
  describe("open streams, as time passes", () => {
    const clock = new HandClock();
    const setting = useSetting(harness, { clock });

    test("a silent socket is pinged after 30 s", async () => {
      const client = await new SocketClient(`${setting.url}${SOCKET}?token=${await jwt("silent", { expiresInS: 86_400 })}`).ready();
      clock.pass(40_000);
      expect(await client.received.count(1)).toEqual([{ type: "ping" }]);
      client.send({ type: "pong" });
      await setting.service.create({ to: "silent", title: "after" });
      expect((await client.received.count(2))[1]).toMatchObject({ type: "notification_new" });
      client.drop();
    });

    test("row 26: when its token expires a socket is closed with 4401, and an SSE stream ends", async () => {
      const token = await jwt("expiring", { expiresInS: 86_400 });
      const socket = await new SocketClient(`${setting.url}${SOCKET}?token=${token}`).ready();
      const stream = await new StreamClient().open(`${setting.url}/api/v1/notifications/stream?token=${token}`, {});
      await stream.received.count(1);
      clock.pass(86_400_000);
      expect(await socket.closed()).toBe(4401);
      await stream.received.until(() => stream.ended);
    });
  });

  describe("sockets that misuse the server", () => {
    const clock = new HandClock();
    const setting = useSetting(harness, { clock });
    const open = async (userId: string) => new SocketClient(`${setting.url}${SOCKET}?token=${await jwt(userId)}`).ready();

    test("row 28: a message in 17 fragments without an end closes with 1008", async () => {
      const client = await open("fragments");
      for (let sent = 0; sent < 17; sent += 1) {
        client.socket.send("x", { fin: false });
      }
      expect(await client.closed()).toBe(1008);
    });

    test("row 29: a reader that never reads is cut off, and the others do not notice", async () => {
      const [stuck, good] = [await open("slow"), await open("slow")];
      stuck.socket.pause();
      const message = "x".repeat(10_000);
      // This is far more than the system's own buffers and the megabyte that may wait.
      const rounds = 40;
      for (let round = 0; round < rounds; round += 1) {
        await Promise.all(Array.from({ length: 50 }, () => setting.service.create({ to: "slow", message })));
        // The good reader shares this process, so it must get its turn to read before the test sends more.
        await good.received.count((round + 1) * 50);
      }
      expect(good.received.frames.map(({ seq }) => seq)).toEqual(Array.from({ length: rounds * 50 }, (_, at) => at + 1));
      clock.pass(10_000);
      stuck.socket.resume();
      await stuck.closed();
      expect(stuck.received.frames.length).toBeLessThan(rounds * 50);
      good.drop();
    });
  });
}
