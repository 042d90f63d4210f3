import { deviceAddress } from "@belfry/core";
import { providerSuite } from "@belfry/testkit";
import type { PushService } from "@belfry/testkit/push";
import { push } from "../src/index.ts";
import { PLATFORMS, type Platform, recipientOf } from "./platforms.ts";
import { deviceOf } from "./task.ts";

/** The platforms of the servers that the suite has started. */
const platforms = new Map<PushService, Platform>();
/** Secrets are made anew with each service: the suite has them in one list. */
const secrets: string[] = [];

function platformOf(service: PushService): Platform {
  const platform = platforms.get(service);
  if (platform === undefined) {
    throw new Error("The suite has a server that it did not start.");
  }
  return platform;
}

/** What others make of some answers: a browser's service may take a push in any words. */
const OUTCOMES = { web: { malformed: { status: "sent" }, oversized: { status: "sent" } } };

for (const [name, start] of Object.entries(PLATFORMS)) {
  const other = name === "fcm" ? "apns" : "fcm";
  providerSuite<PushService>(`push by ${name}`, {
    async start() {
      const platform = await start();
      platforms.set(platform.service, platform);
      secrets.push(...platform.secrets);
      return platform.service;
    },
    channel: (service, timeoutMs) => push({ ...platformOf(service).options, timeoutMs }),
    recipient: (service) => recipientOf(platformOf(service)),
    invalidRecipients: ["ann", "{}", "{", deviceAddress(deviceOf(other, "token")), JSON.stringify({ platform: name, token: 7 })],
    secrets,
    takesEmpty: true,
    renewsCredentials: name === "fcm",
    ...(name === "web" && { outcomes: OUTCOMES.web }),
  });
}
