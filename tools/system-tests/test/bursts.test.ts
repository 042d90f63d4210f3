import { NotificationService } from "@belfry/core";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { InboxFollower } from "./inbox-follower.ts";
import { HUB_KEY, serveSockets } from "./serve-sockets.ts";
import { storageAt } from "./storage-at.ts";
import { testDatabase } from "./test-database.ts";
import { useCleanup } from "./use-cleanup.ts";

const BURST = 40;
const LONG = "a".repeat(250_000);

const cleanup = useCleanup();

test("a burst of long items and events at one instance reaches the sockets of another", { timeout: 60_000 }, async () => {
  const { url } = await testDatabase(cleanup);
  const start = async () => {
    const notifications = new NotificationService({ storage: storageAt(url) });
    await notifications.start();
    cleanup(() => notifications.stop());
    return notifications;
  };
  const [here, there] = [await start(), await start()];
  const served = await serveSockets(there, cleanup);
  const follower = new InboxFollower("ann");
  cleanup(() => follower.close());
  await follower.connect(served);
  const { ids: heard, until } = await subscriber(`${served.replace(/^http/, "ws")}/ws?apiKey=${HUB_KEY}`);

  const numbers = Array.from({ length: BURST }, (_, at) => at + 1);
  const { events } = here.hub;
  const [created] = await Promise.all([
    Promise.all(numbers.map((at) => events.create({ source: "burst", sender: `${at}`, content: "x", metadata: { text: LONG } }))),
    Promise.all(numbers.map((at) => here.create({ to: "ann", title: `${at}`, data: { text: LONG } }))),
  ]);
  await Promise.all([follower.until(() => follower.created.length === BURST), until(() => heard.length === BURST)]);
  expect(follower.created.map(({ seq }) => seq)).toEqual(numbers);
  expect([new Set(heard), follower.losses]).toEqual([new Set(created.map(({ id }) => id)), 0]);
});

/** A socket that is subscribed to the source, and the ids of the events that it heard of. */
async function subscriber(url: string) {
  const socket = new WebSocket(url);
  cleanup(() => socket.terminate());
  const ids: string[] = [];
  const checks = new Set<() => void>();
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => condition() && resolve();
      checks.add(check);
      check();
    });
  let isSubscribed = false;
  socket.on("message", (data) => {
    const { notification_id, subscription } = JSON.parse(String(data)) as Record<string, string | undefined>;
    isSubscribed ||= subscription === "burst";
    ids.push(...(notification_id === undefined ? [] : [notification_id]));
    for (const check of checks) {
      check();
    }
  });
  socket.once("open", () => socket.send(JSON.stringify({ action: "subscribe", source_service: "burst" })));
  await until(() => isSubscribed);
  return { ids, until };
}
