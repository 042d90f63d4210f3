import { describe, expect, test } from "vitest";
import { jwt } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { longReplayTests } from "./long-replay.ts";
import { useSetting } from "./setting.ts";
import { type Received, SocketClient } from "./socket-client.ts";
import { StreamClient } from "./stream-client.ts";

const PER_ROUND = 25;
/** Twice as many rounds as there are moments to drop at; more where there is time. */
const RECONNECTS = process.env.BELFRY_LONG ? 200 : 2 * (PER_ROUND + 1);
const NOTIFICATIONS = PER_ROUND * RECONNECTS;
/** By count these fit into one page; by bytes they are far more than a socket buffers. */
const LONG_ITEMS = 60;

/** One connection of the client under test, by either kind of stream. */
interface Connection {
  readonly received: Received;
  drop(): void;
}

/** A client's memory between connections: the items it got, and its position. */
class Memory {
  readonly ids: unknown[] = [];
  seq = 0;
  epoch = "";

  take(received: Received): void {
    for (const frame of received.frames) {
      if (frame.type === "notification_new") {
        this.ids.push(frame.entity_id);
        this.seq = frame.seq ?? Number.NaN;
        this.epoch = frame.epoch ?? "";
      }
    }
  }
}

/** Tests that a client which drops and reconnects again and again while notifications arrive has exactly the database's items. */
export function resumeSuite(harness: HttpHarness): void {
  describe("resuming", () => {
    const setting = useSetting(harness);

    longReplayTests(setting, LONG_ITEMS);

    async function run(userId: string, connect: (memory: Memory) => Promise<Connection>): Promise<void> {
      const memory = new Memory();
      for (let round = 0; round < RECONNECTS; round += 1) {
        const created = Promise.all(
          Array.from({ length: PER_ROUND }, (_, at) => setting.service.create({ to: userId, title: `${round}.${at}` })),
        );
        const connection = await connect(memory);
        // Each round drops at another moment: during the replay, between the replay and the live events, and among these.
        const enough = round % (PER_ROUND + 1);
        await connection.received.until(() => connection.received.frames.length >= enough);
        connection.drop();
        memory.take(connection.received);
        await created;
      }
      const last = await connect(memory);
      const missing = NOTIFICATIONS - memory.ids.length;
      await last.received.until(() => last.received.frames.filter(({ type }) => type === "notification_new").length >= missing);
      memory.take(last.received);
      last.drop();
      expect(memory.ids).toEqual(await stored(userId));
    }

    async function stored(userId: string): Promise<string[]> {
      const ids: string[] = [];
      let cursor: string | null = null;
      do {
        const page = await setting.service.inbox(userId).list({ limit: 1_000, ...(cursor === null ? {} : { cursor }) });
        ids.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
      } while (cursor !== null);
      return ids.reverse();
    }

    test("over WebSocket, with since and epoch", { timeout: 240_000 }, async () => {
      const token = await jwt("socket");
      await run("socket", async ({ seq, epoch }) => {
        const where = epoch === "" ? "&since=0&epoch=0" : `&since=${seq}&epoch=${epoch}`;
        return new SocketClient(`${setting.url}/api/v1/ws/events?token=${token}${where}`);
      });
    });

    test("over SSE, with Last-Event-ID", { timeout: 240_000 }, async () => {
      const headers = await setting.bearer("stream");
      await run("stream", async ({ seq, epoch }) => {
        const id = epoch === "" ? "0:0" : `${epoch}:${seq}`;
        return new StreamClient().open(`${setting.url}/api/v1/notifications/stream`, { ...headers, "last-event-id": id });
      });
    });
  });
}
