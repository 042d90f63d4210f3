import { hub, inboxV1 } from "@belfry/core/contracts";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { jwt } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { openHubSocket, subscribe } from "./hub-client.ts";
import { API_KEY, useSetting } from "./setting.ts";
import { SocketClient } from "./socket-client.ts";
import { StreamClient } from "./stream-client.ts";

/** Together more than a reader may leave unread, all of them written at once. */
const BURST = 40;
const LONG = "a".repeat(250_000);
const CONNECTS = 20;

/** Tests bursts that no reader can take at once, and clients that begin to listen only once they are connected. */
export function burstsSuite(harness: HttpHarness): void {
  const socketOf = async (url: string, userId: string, query = "") =>
    `${url}/api/v1/ws/events?token=${userId === "" ? "bad" : await jwt(userId)}${query}`;
  const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

  describe(`a burst of ${BURST} × 250 KB`, () => {
    const setting = useSetting(harness, { contracts: [inboxV1(), hub()] });
    const create = (to: string) => setting.service.create({ to, title: "Long", data: { text: LONG } });

    test("of creates reaches a user's socket and stream, in order", async () => {
      const socket = await new SocketClient(await socketOf(setting.url, "burst")).ready();
      const stream = await new StreamClient().open(`${setting.url}/api/v1/notifications/stream`, await setting.bearer("burst"));
      await stream.received.count(1);
      await Promise.all(Array.from({ length: BURST }, () => create("burst")));
      expect((await socket.received.count(BURST)).map(({ seq }) => seq)).toEqual(upTo(BURST));
      expect((await stream.received.count(BURST + 1)).slice(1).map(({ seq }) => seq)).toEqual(upTo(BURST));
      expect([socket.closeCode, stream.ended]).toEqual([null, false]);
      socket.drop();
      stream.drop();
    });

    test("of the hub's events reaches a subscriber", async () => {
      const client = await openHubSocket(setting);
      await subscribe(client, "burst");
      const { events } = setting.service.tenant("acme").hub;
      const created = await Promise.all(
        upTo(BURST).map((at) => events.create({ source: "burst", sender: `${at}`, content: "x", metadata: { text: LONG } })),
      );
      const frames = await client.received.count(BURST);
      expect(new Set(frames.map(({ notification_id }) => notification_id))).toEqual(new Set(created.map(({ id }) => id)));
      expect([frames.length, client.closeCode]).toEqual([BURST, null]);
      client.drop();
    });
  });

  describe("a client that begins to listen once it is connected", () => {
    const setting = useSetting(harness, { contracts: [inboxV1(), hub()] });

    /** Connects as clients do that await the connection first, and returns all that it hears until it is closed or has heard `enough`. */
    async function heard(url: string, enough: number): Promise<readonly string[]> {
      const socket = new WebSocket(url.replace(/^http/, "ws"));
      await new Promise((resolve) => socket.once("open", resolve));
      await Promise.resolve();
      const types: string[] = [];
      await new Promise<void>((resolve) => {
        socket.on("close", (code) => {
          types.push(String(code));
          resolve();
        });
        socket.on("message", (data) => {
          const { type, error } = JSON.parse(String(data)) as { readonly type?: string; readonly error?: string };
          types.push(type ?? error ?? "");
          if (types.length === enough) {
            resolve();
          }
        });
      });
      socket.terminate();
      return types;
    }

    async function heardEachTime(url: string, expected: readonly string[]): Promise<void> {
      for (let connects = 0; connects < CONNECTS; connects += 1) {
        expect(await heard(url, expected.length)).toEqual(expected);
      }
    }

    test("misses no welcome of the hub", () => heardEachTime(`${setting.url}/ws?apiKey=${API_KEY}`, ["system"]));

    test("misses no refusal of its token", async () => {
      await heardEachTime(await socketOf(setting.url, ""), ["Could not validate credentials", "4401"]);
    });

    test("misses no part of a replay", async () => {
      await Promise.all(upTo(10).map((at) => setting.service.create({ to: "late", title: `${at}` })));
      const frames = [...upTo(10).map(() => "notification_new"), "inbox_state"];
      await heardEachTime(await socketOf(setting.url, "late", "&since=0&epoch=0"), frames);
    });
  });
}
