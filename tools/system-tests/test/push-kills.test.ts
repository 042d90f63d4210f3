import { fork } from "node:child_process";
import { once } from "node:events";
import { type PushOptions, push } from "@belfry/channel-push";
import { NotificationService } from "@belfry/core";
import { apnsService, expoService, fcmService, type PushService, type ReceivedPush, webPushService } from "@belfry/testkit/push";
import { describe, expect, test } from "vitest";
import { bundledProgram } from "../../../test/bundled-program.ts";
import { DATABASES, emptyDatabase } from "./either-database.ts";
import { storageAt } from "./storage-at.ts";
import { useCleanup } from "./use-cleanup.ts";

const PROGRAM = bundledProgram(new URL("./processes/pushing.ts", import.meta.url));
const WAIT = { timeout: 120_000, interval: 20 };

/** What a platform, or a device, tells a repetition by. */
const IDS: Readonly<Record<string, (push: ReceivedPush) => readonly unknown[]>> = {
  web: ({ device, headers, message }) => [device, headers.topic, (message as { id: string }).id],
  fcm({ message }) {
    const { token, data, android } = message as {
      readonly token: string;
      readonly data: { readonly delivery: string };
      readonly android: { readonly notification: { readonly tag: string } };
    };
    return [token, data.delivery, android.notification.tag];
  },
  apns: ({ device, headers }) => [device, headers["apns-id"]],
  expo: ({ device, message }) => [device, (message as { data: { delivery: string } }).data.delivery],
};

describe.each(DATABASES)("a worker on %s that is killed between the providers' answers and its own notes", (kind) => {
  const cleanup = useCleanup();

  test("pushes again under the same ids, to every platform", { timeout: WAIT.timeout }, async () => {
    const url = await emptyDatabase(kind, cleanup);
    const [web, fcm, apns, expo] = await Promise.all([webPushService(), fcmService(), apnsService(), expoService()]);
    const services: Readonly<Record<string, PushService>> = { web, fcm, apns, expo };
    const options: PushOptions = {
      ...{ web: { vapid: web.vapid }, fcm: { url: fcm.url, serviceAccount: fcm.serviceAccount }, apns: apns.apns, expo: { url: expo.url } },
      ...{ allowPrivate: true, timeoutMs: 1_000 },
    };
    const service = new NotificationService({ storage: storageAt(url), channels: [push(options)], delivery: { worker: false } });
    cleanup(async () => {
      await service.stop();
      await Promise.all(Object.values(services).map((one) => one.close()));
    });
    await service.devices.register("ann", { platform: "web", subscription: web.subscribe() });
    await service.devices.register("ann", { platform: "fcm", token: "a-token-of-a-phone" });
    await service.devices.register("ann", { platform: "apns", token: "0f".repeat(32) });
    await service.devices.register("ann", { platform: "expo", token: "ExponentPushToken[a-phone]" });
    const { notification } = await service.create({ to: "ann", channels: ["push"], type: "note", title: "Hello" });

    const start = (more: Readonly<Record<string, string>>) => {
      const { PATH, NODE_COMPILE_CACHE } = process.env;
      const env = { PATH, NODE_COMPILE_CACHE, DATABASE_URL: url, PUSH_OPTIONS: JSON.stringify(options), ...more };
      const child = fork(PROGRAM, { env });
      const exited = once(child, "exit");
      cleanup(async () => {
        child.kill("SIGKILL");
        await exited;
      });
      return exited;
    };
    const all = Object.keys(services).length;
    const [, signal] = await start({ DIES_AFTER: String(all) });
    expect(signal).toBe("SIGKILL");
    const counts = () => Object.values(services).map(({ taken }) => taken.length);
    expect(counts()).toEqual(Array(all).fill(1));

    void start({});
    const statuses = async () => (await service.deliveries(notification.id)).deliveries.map(({ status }) => status);
    await expect.poll(statuses, WAIT).toEqual(Array(all).fill("sent"));
    expect(counts()).toEqual(Array(all).fill(2));
    for (const [platform, { taken }] of Object.entries(services)) {
      const [first, second] = taken.map((one) => IDS[platform]?.(one) ?? []);
      expect(
        first?.every((id) => typeof id === "string" && id !== ""),
        platform,
      ).toBe(true);
      expect(second, platform).toEqual(first);
    }
  });
});
