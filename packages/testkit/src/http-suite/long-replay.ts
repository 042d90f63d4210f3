import { describe, expect, test } from "vitest";
import { jwt } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { type Setting, useSetting } from "./setting.ts";
import { type Received, SocketClient } from "./socket-client.ts";
import { StreamClient } from "./stream-client.ts";

const DATA = { text: "a".repeat(250_000) };
const AT_ONCE = 10;

/** Tests an adapter over a storage with a replay of `count` items of 250,000 characters to one client. */
export function longReplaySuite(name: string, harness: HttpHarness, count: number): void {
  describe(`Long replays: ${name}`, () => longReplayTests(useSetting(harness), count));
}

/** Tests that a client which missed `count` items of 250,000 characters gets all of them, in order, by either kind of stream. */
export function longReplayTests(setting: Setting, count: number): void {
  async function missed(userId: string): Promise<void> {
    for (let written = 0; written < count; written += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, () => setting.service.create({ to: userId, title: "Long", data: DATA })));
    }
  }

  test(`${count} missed items of 250,000 characters arrive over WebSocket`, { timeout: 240_000 }, async () => {
    await missed("long_socket");
    const client = new SocketClient(`${setting.url}/api/v1/ws/events?token=${await jwt("long_socket")}&since=0&epoch=0`);
    expect(await readAll(client.received, () => client.closeCode !== null)).toEqual(complete(count));
    client.drop();
  });

  test(`${count} missed items of 250,000 characters arrive over SSE`, { timeout: 240_000 }, async () => {
    await missed("long_stream");
    const headers = { ...(await setting.bearer("long_stream")), "last-event-id": "0:0" };
    const client = await new StreamClient().open(`${setting.url}/api/v1/notifications/stream`, headers);
    expect(await readAll(client.received, () => client.ended)).toEqual(complete(count));
    client.drop();
  });
}

interface Replayed {
  readonly items: number;
  readonly recovered: unknown;
}

function complete(count: number): Replayed {
  return { items: count, recovered: true };
}

/** Takes each item of a replay as it arrives, so that the client holds only one. */
async function readAll(received: Received, isOver: () => boolean): Promise<Replayed> {
  let items = 0;
  let recovered: unknown;
  const take = () => {
    for (const { type, seq, payload } of received.frames.splice(0)) {
      if (type === "notification_new") {
        items += 1;
        expect([seq, JSON.stringify(payload?.data).length]).toEqual([items, JSON.stringify(DATA).length]);
      } else if (type === "inbox_state") {
        recovered = payload?.recovered;
      }
    }
    return recovered !== undefined || isOver();
  };
  await received.until(take);
  return { items, recovered };
}
