import { deviceAddress } from "@belfry/core";
import { channelSuite } from "@belfry/testkit";
import { PLATFORMS, type Platform, recipientOf } from "./platforms.ts";
import { deviceOf } from "./task.ts";

/** Secrets are made anew with each service: the suite has them in one list. */
const secrets: string[] = [];

async function subject(starting: Promise<Platform>) {
  const platform = await starting;
  const { channel, service } = platform;
  secrets.push(...platform.secrets);
  const { connections, close } = service;
  return { channel, recipient: recipientOf(platform), received: () => service.taken.length, connections, close };
}

for (const [name, start] of Object.entries(PLATFORMS)) {
  const other = name === "fcm" ? "apns" : "fcm";
  channelSuite(`push by ${name}`, {
    taking: () => subject(start()),
    async silent() {
      const platform = await start();
      platform.service.answerWith(() => "hang");
      return subject(Promise.resolve(platform));
    },
    async unreachable() {
      const gone = await subject(start());
      await gone.close();
      return { ...gone, close: async () => {} };
    },
    invalidRecipients: ["ann", "{}", "{", deviceAddress(deviceOf(other, "token")), JSON.stringify({ platform: name, token: 7 })],
    secrets,
  });
}
