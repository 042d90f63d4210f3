import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { expect, onTestFinished, test, vi } from "vitest";
import { push } from "../src/index.ts";
import { expo, fcm } from "./platforms.ts";

const USERS = 100;
const DEVICES = 10;

test("1,000 devices with a third gone: those are removed after one attempt, the others all get it, none twice", {
  timeout: 240_000,
}, async () => {
  const [firebase, ofExpo] = [await fcm(), await expo()];
  const channel = push({ ...firebase.options, ...ofExpo.options, retryDelaysMs: [1] });
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const notifications = new NotificationService({ storage: sqliteStorage(":memory:"), channels: [channel], logger });
  onTestFinished(async () => {
    await notifications.stop();
    await Promise.all([firebase.service.close(), ofExpo.service.close()]);
  });
  const users = Array.from({ length: USERS }, (_, index) => `user ${index}`);
  const tokens: string[] = [];
  for (const userId of users) {
    for (let index = 0; index < DEVICES; index += 1) {
      const { service, device } = index % 2 === 0 ? firebase : ofExpo;
      const { platform, token } = device();
      await notifications.devices.register(userId, { platform: platform === "fcm" ? "fcm" : "expo", token });
      tokens.push(token);
      if (tokens.length % 3 === 0) {
        service.forget(token);
      }
    }
  }
  const gone = tokens.filter((_, index) => index % 3 === 2);
  const left = tokens.filter((token) => !gone.includes(token));
  const { notification } = await notifications.create({ to: users, channels: ["push"], title: "Hello" });
  await vi.waitFor(async () => expect((await notifications.get(notification.id)).status).toBe("sent"), { timeout: 60_000, interval: 20 });
  const both = [firebase.service, ofExpo.service];
  await vi.waitFor(() => expect(both.flatMap(({ received }) => received)).toHaveLength(tokens.length), { timeout: 60_000, interval: 20 });
  const devicesOf = (which: "received" | "taken") => both.flatMap((service) => service[which].map(({ device }) => device)).sort();
  const kept = async () => (await Promise.all(users.map((userId) => notifications.devices.list(userId)))).flat();
  // The last ones are removed after their provider's answer, in a moment.
  await vi.waitFor(async () => expect(await kept()).toHaveLength(left.length), { timeout: 60_000, interval: 20 });
  expect(devicesOf("received")).toEqual(tokens.toSorted());
  expect(devicesOf("taken")).toEqual(left.toSorted());
  await notifications.create({ to: users, channels: ["push"], title: "Again" });
  await vi.waitFor(() => expect(both.flatMap(({ received }) => received)).toHaveLength(tokens.length + left.length), {
    timeout: 60_000,
    interval: 20,
  });
});
