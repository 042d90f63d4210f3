import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { NotificationService } from "@belfry/core";
import { inboxV1 } from "@belfry/core/contracts";
import { createHandler } from "@belfry/core/http";
import { upgradeListener } from "@belfry/core/node";
import { SignJWT } from "jose";
import { expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { onEveryStorage } from "../on-every-storage.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const SECRET = "a secret that is long enough for HS256";

onEveryStorage((database) => {
  test("a socket that is answered misses nothing from then on, however long the database takes to say where the inbox stands", async () => {
    const storage = database.storage();
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const counts = storage.inbox.counts.bind(storage.inbox);
    vi.spyOn(storage.inbox, "counts").mockImplementationOnce(async (owner) => {
      asked.resolve();
      await answered.promise;
      return counts(owner);
    });
    const notifications = stopsAfterTest(new NotificationService({ storage }));
    const handler = createHandler(notifications, { contracts: [inboxV1()], auth: { jwt: { secret: SECRET } } });
    const server = createServer().on("upgrade", upgradeListener(handler));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const claims = new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setSubject("ann").setExpirationTime("1h");
    const token = await claims.sign(new TextEncoder().encode(SECRET));
    const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/ws/events?token=${token}`);
    try {
      const frames: Record<string, unknown>[] = [];
      socket.on("message", (data) => frames.push(JSON.parse(String(data))));
      await once(socket, "open");
      socket.send(JSON.stringify({ type: "subscribe", event_types: ["notification_new"] }));
      await asked.promise;
      await notifications.create({ to: "ann", title: "before the answer" });
      // Whatever the server had sent before the pong would be here by then.
      socket.ping();
      await once(socket, "pong");
      expect(frames).toEqual([]);

      answered.resolve();
      await once(socket, "message");
      expect(frames).toMatchObject([{ status: "subscribed" }]);
      await notifications.create({ to: "ann", title: "after the answer" });
      await expect.poll(() => frames.length, { timeout: 20_000 }).toBe(2);
      expect(frames[1]).toMatchObject({ type: "notification_new", seq: 2, payload: { title: "after the answer" } });
    } finally {
      socket.terminate();
      handler.close();
      server.close();
    }
  });
});
