import { generateKeyPairSync } from "node:crypto";
import { deviceAddress } from "@belfry/core";
import { expect, onTestFinished, test } from "vitest";
import { push } from "../src/index.ts";
import { apns, fcm, web } from "./platforms.ts";
import { deviceOf, live, taskOf } from "./task.ts";

const KEYS = { p256dh: "key", auth: "secret" };

test.each([
  ["http://push.example.com/x"],
  ["https://127.0.0.1/x"],
  ["https://169.254.169.254/latest"],
  ["https://localhost/x"],
  ["https://user:password@push.example.com/x"],
  ["https://push.example.com:22/x"],
])("a browser's endpoint such as %s is refused, and nothing is sent to it", async (endpoint) => {
  const { service, options } = await web();
  onTestFinished(() => service.close());
  const channel = push({ ...(options.web === undefined ? {} : { web: options.web }) });
  const device = deviceOf("web", endpoint, { keys: KEYS });
  expect(channel.invalidRecipient(deviceAddress(device))).toMatch(/^must /);
});

test("a name that leads to a private address is refused when it is looked up, and no connection is opened", async () => {
  const { service, options } = await web();
  onTestFinished(() => service.close());
  const vapid = options.web ?? { vapid: service.vapid };
  const channel = push({ web: vapid, egress: { resolve: async () => [{ address: "127.0.0.1", family: 4 }] } });
  const { keys } = service.subscribe();
  const endpoint = "https://push.example.com/x";
  const outcome = await channel.deliver(taskOf(deviceOf("web", endpoint, { keys })), live());
  expect(outcome).toMatchObject({ status: "failed", transient: false, error: expect.stringMatching(/^blocked_address/) });
  expect([service.connections(), service.received.length]).toEqual([0, 0]);
});

test("options that cannot be used are refused at once, without a word of a key", async () => {
  const [firebase, apple, browsers] = [await fcm(), await apns(), await web()];
  for (const { service } of [firebase, apple, browsers]) {
    onTestFinished(() => service.close());
  }
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const { serviceAccount } = firebase.service;
  const { vapid } = browsers.service;
  const wrong = [
    {},
    { timeoutMs: 0, expo: {} },
    { fcm: { serviceAccount: { ...serviceAccount, private_key: "canary" } } },
    { fcm: { serviceAccount: { ...serviceAccount, private_key: apple.service.apns.key } } },
    { apns: { ...apple.service.apns, key: rsa } },
    { apns: { ...apple.service.apns, teamId: "a\r\nb" } },
    { apns: { ...apple.service.apns, url: "file:///etc" } },
    { web: { vapid: { ...vapid, privateKey: "canary" } } },
    { web: { vapid: { ...vapid, subject: "canary" } } },
    { web: { vapid, ttl: 7 } },
    { expo: { accesstoken: "canary" } },
  ];
  for (const options of wrong) {
    expect(() => push(options as object)).toThrow(
      expect.objectContaining({ code: "CONFIGURATION", message: expect.not.stringContaining("PRIVATE") }),
    );
  }
});
