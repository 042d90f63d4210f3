import { fcmService, webPushService } from "@belfry/testkit/push";
import { expect, onTestFinished, test } from "vitest";
import { type PushKeys, push } from "../src/index.ts";
import { deviceOf, live, taskOf } from "./task.ts";

async function firebase() {
  const service = await fcmService();
  onTestFinished(() => service.close());
  const { url, serviceAccount } = service;
  return { service, keys: { fcm: { url, serviceAccount } } satisfies PushKeys };
}

const phone = deviceOf("fcm", "a-token");

test("each tenant pushes by its own keys, whose tokens are kept while they are the same; others by the shared ones", async () => {
  const [shared, acme, next] = [await firebase(), await firebase(), await firebase()];
  const ofTenants = new Map<string, PushKeys>([["acme", acme.keys]]);
  // Each answer is an object of its own, as a host's database gives it.
  const ofTenant = async (tenant: string) => structuredClone(ofTenants.get(tenant) ?? null);
  const channel = push({ ...shared.keys, ofTenant, allowPrivate: true });
  const deliver = (tenant: string) => channel.deliver(taskOf(phone, { tenant }), live());
  const taken = () => [shared, acme, next].map(({ service }) => [service.taken.length, service.tokens()]);
  for (const tenant of ["acme", "acme", "globex"]) {
    expect(await deliver(tenant)).toMatchObject({ status: "sent" });
  }
  expect(taken()).toEqual([
    [1, 1],
    [2, 1],
    [0, 0],
  ]);
  ofTenants.set("acme", next.keys);
  expect(await deliver("acme")).toMatchObject({ status: "sent" });
  expect(taken()[2]).toEqual([1, 1]);
});

test("a tenant's device of a platform that has no keys fails for good, and keys that cannot be used are said", async () => {
  const { service, keys } = await firebase();
  const channel = push({ ofTenant: (tenant) => (tenant === "acme" ? keys : { fcm: { ...keys.fcm, url: "no URL" } }), allowPrivate: true });
  expect(channel.devices).toEqual(["web", "fcm", "apns", "expo"]);
  const deliver = (tenant: string, device = phone) => channel.deliver(taskOf(device, { tenant }), live());
  expect(await deliver("acme", deviceOf("apns", "ab".repeat(32)))).toMatchObject({ status: "failed", transient: false });
  await expect(deliver("globex")).rejects.toMatchObject({ code: "CONFIGURATION" });
  expect(() => push({ ofTenant: {} as never })).toThrow(expect.objectContaining({ code: "CONFIGURATION" }));
  expect(service.taken).toEqual([]);
});

test("browsers subscribe with the key of their tenant, else with the shared one; there is none where nothing is pushed to browsers", async () => {
  const [shared, own] = await Promise.all([webPushService(), webPushService()]);
  onTestFinished(() => Promise.all([shared.close(), own.close()]).then(() => undefined));
  const ofTenant = (tenant: string) => ({ acme: { web: { vapid: own.vapid } }, phones: { expo: {} } })[tenant] ?? null;
  const channel = push({ web: { vapid: shared.vapid }, ofTenant });
  const keys = await Promise.all(["acme", "globex", "phones"].map((tenant) => channel.webPushKey?.(tenant)));
  expect(keys).toEqual([own.vapid.publicKey, shared.vapid.publicKey, null]);
});
