import { django, hub } from "@belfry/core/contracts";
import { describe, expect, test } from "vitest";
import { HandClock } from "./hand-clock.ts";
import type { HttpHarness } from "./harness.ts";
import { addHandler, openHubSocket, pushEvent, subscribe } from "./hub-client.ts";
import { ScriptedProcessor } from "./scripted-processor.ts";
import { OTHER_API_KEY, useSetting } from "./setting.ts";

const UNKNOWN = "01920000-0000-7000-8000-000000000000";

/** Tests every frame of the hub's WebSocket, and sockets that misuse it. */
export function hubSocketSuite(harness: HttpHarness): void {
  describe("hub: WebSocket", () => {
    const processor = new ScriptedProcessor();
    const clock = new HandClock();
    const setting = useSetting(harness, { contracts: [hub(), django()], clock }, {}, { hub: { processor } });
    const event = (source_service: string, content: string, metadata = {}) => ({ source_service, sender_id: "ann", content, metadata });

    test("subscribers get the notification, then one result or error for each handler", async () => {
      const first = await addHandler(setting, { source_service: "live", prompt: "one" });
      const second = await addHandler(setting, { source_service: "live", prompt: "two", metadata_filter: { twice: true } });
      await pushEvent(setting, event("live", "before"));
      const [client, other] = [await openHubSocket(setting), await openHubSocket(setting)];
      await subscribe(client, "live");
      await subscribe(other, "elsewhere");
      const id = await pushEvent(setting, event("live", "hello", { twice: true }));
      const failed = await pushEvent(setting, event("live", "fail"));
      // The result of an earlier event may still arrive; that event itself does not.
      const mine = () => client.received.frames.filter(({ notification_id }) => notification_id === id || notification_id === failed);
      await client.received.until(() => mine().length === 5);
      const of = (notification_id: string) => mine().filter((frame) => frame.notification_id === notification_id);
      expect(of(id)[0]).toEqual({
        type: "notification",
        notification_id: id,
        source_service: "live",
        sender_id: "ann",
        content: "hello",
        metadata: { twice: true },
      });
      const result = (handler_id: string, text: string) => ({
        type: "processing_result",
        notification_id: id,
        handler_id,
        status: "COMPLETED",
        result: text,
      });
      expect(of(id).slice(1)).toEqual(expect.arrayContaining([result(first, "one hello"), result(second, "two hello")]));
      expect(of(failed)).toEqual([
        expect.objectContaining({ type: "notification", content: "fail" }),
        {
          type: "processing_error",
          notification_id: failed,
          handler_id: first,
          status: "FAILED",
          error: "Failed to process notification: invalid format",
        },
      ]);
      expect(client.received.frames.some(({ content }) => content === "before")).toBe(false);
      expect(other.received.frames).toEqual([]);
      client.drop();
      other.drop();
    });

    test("row 1: two clients with the same source name never see each other's events", async () => {
      const [acme, globex] = [await openHubSocket(setting), await openHubSocket(setting, OTHER_API_KEY)];
      await Promise.all([subscribe(acme, "shared"), subscribe(globex, "shared")]);
      await addHandler(setting, { source_service: "shared", prompt: "p" });
      const own = await pushEvent(setting, event("shared", "acme's"));
      const theirs = await pushEvent(setting, event("shared", "globex's"), OTHER_API_KEY);
      await acme.received.count(2);
      expect(acme.received.frames.map(({ type, notification_id }) => [type, notification_id])).toEqual([
        ["notification", own],
        ["processing_result", own],
      ]);
      expect((await globex.received.count(1)).map(({ notification_id }) => notification_id)).toEqual([theirs]);
      acme.drop();
      globex.drop();
    });

    test("a source's name is taken literally, and unsubscribing ends it", async () => {
      const client = await openHubSocket(setting);
      await subscribe(client, "lit%");
      await subscribe(client, "lit%");
      await pushEvent(setting, event("lite", "no"));
      await pushEvent(setting, event("lit%", "yes"));
      expect((await client.received.count(1)).map(({ content }) => content)).toEqual(["yes"]);
      client.send({ action: "unsubscribe", source_service: "lit%" });
      client.send({ action: "unsubscribe", source_service: "never subscribed" });
      expect((await client.received.count(3)).slice(1)).toEqual([
        { type: "system", message: "Unsubscribed from lit%", subscription: "lit%" },
        { type: "system", message: "Unsubscribed from never subscribed", subscription: "never subscribed" },
      ]);
      await pushEvent(setting, event("lit%", "after"));
      client.send("{}");
      expect((await client.received.count(4))[3]).toEqual({ type: "error", message: "Invalid message format" });
      client.drop();
    });

    test("row 30: every ack is answered, a repeated one too; an unknown or another client's id gets an error", async () => {
      const client = await openHubSocket(setting);
      const own = await pushEvent(setting, event("ack", "x"));
      const theirs = await pushEvent(setting, event("ack", "x"), OTHER_API_KEY);
      for (const notification_id of [own, own, theirs, UNKNOWN, "x"]) {
        client.send({ type: "ack", notification_id });
      }
      const acknowledged = { type: "system", message: `Acknowledged notification ${own}`, notification_id: own };
      const missing = { type: "error", message: "Notification not found" };
      expect(await client.received.count(5)).toEqual([acknowledged, acknowledged, missing, missing, missing]);
      client.drop();
    });

    test("row 31: broken JSON and an unknown message get an error and the socket stays open", async () => {
      const client = await openHubSocket(setting);
      const invalid = [
        "[]",
        "5",
        "null",
        "{}",
        '{"action":"subscribe"}',
        '{"action":"subscribe","source_service":""}',
        '{"action":"subscribe","source_service":5}',
        `{"action":"subscribe","source_service":"${"x".repeat(256)}"}`,
        '{"action":"subscribe","source_service":"a\\u0000"}',
        '{"action":"dance","source_service":"a"}',
        '{"type":"ack"}',
      ];
      client.send("{broken");
      for (const message of invalid) {
        client.send(message);
      }
      expect(await client.received.count(1 + invalid.length)).toEqual([
        { type: "error", message: "Invalid JSON message" },
        ...invalid.map(() => ({ type: "error", message: "Invalid message format" })),
      ]);
      await subscribe(client, "still open");
      client.drop();
    });

    test("a connection has at most 100 subscriptions", async () => {
      const client = await openHubSocket(setting);
      for (let at = 0; at <= 100; at += 1) {
        client.send({ action: "subscribe", source_service: `s${at}` });
        await client.received.count(at + 1);
        // This is slower than the limit on messages.
        clock.pass(100);
      }
      expect(client.received.frames[100]).toEqual({ type: "error", message: "A connection can have at most 100 subscriptions" });
      client.drop();
    });
  });

  describe("hub: sockets that misuse the server", () => {
    const clock = new HandClock();
    const setting = useSetting(harness, { contracts: [hub()], clock });

    test("rows 27, 28, 31: a message of 64 KiB and a byte closes with 1009, 17 fragments and a flood with 1008", async () => {
      const large = await openHubSocket(setting);
      large.send("x".repeat(64 * 1024 + 1));
      expect(await large.closed()).toBe(1009);
      const fragments = await openHubSocket(setting);
      for (let sent = 0; sent < 17; sent += 1) {
        fragments.socket.send("x", { fin: false });
      }
      expect(await fragments.closed()).toBe(1008);
      const flood = await openHubSocket(setting);
      for (let sent = 0; sent < 400; sent += 1) {
        flood.send("{}");
      }
      expect(await flood.closed()).toBe(1008);
    });

    test("row 29: a subscriber that never reads is closed, and the others do not notice", async () => {
      const [stuck, good] = [await openHubSocket(setting), await openHubSocket(setting)];
      await Promise.all([subscribe(stuck, "slow"), subscribe(good, "slow")]);
      stuck.socket.pause();
      const content = "x".repeat(50_000);
      const rounds = 20;
      const { hub: own } = setting.service.tenant("acme");
      for (let round = 0; round < rounds; round += 1) {
        await Promise.all(
          Array.from({ length: 20 }, (_, at) => own.events.create({ source: "slow", sender: `${round * 20 + at}`, content })),
        );
        // The good reader shares this process, so it must get its turn to read before the test sends more.
        await good.received.count((round + 1) * 20);
      }
      const senders = good.received.frames.map(({ sender_id }) => Number(sender_id));
      expect(senders.toSorted((left, right) => left - right)).toEqual(Array.from({ length: rounds * 20 }, (_, at) => at));
      clock.pass(10_000);
      stuck.socket.resume();
      await stuck.closed();
      expect(stuck.received.frames.length).toBeLessThan(rounds * 20);
      good.drop();
    });
  });
}
