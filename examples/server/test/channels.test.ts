import { generateKeyPairSync } from "node:crypto";
import { smtpService } from "@belfry/testkit/mail";
import { webPushService } from "@belfry/testkit/push";
import { describe, expect, onTestFinished, test } from "vitest";
import { channelsOf } from "../src/channels.ts";
import { readConfig } from "../src/config.ts";
import { directoryOf } from "../src/user-addresses.ts";
import { startServer } from "./run-server.ts";

const ACCOUNT = `AC${"0".repeat(32)}`;
const TWILIO = { TWILIO_ACCOUNT_SID: ACCOUNT, TWILIO_AUTH_TOKEN: "t", TWILIO_FROM: "Shop" };
const VONAGE = { VONAGE_API_KEY: "k", VONAGE_API_SECRET: "s", VONAGE_FROM: "Shop" };
const SNS = { SNS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "s" };
const APNS = {
  APNS_TEAM_ID: "TEAM123456",
  APNS_KEY_ID: "KEY1234567",
  APNS_KEY: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  APNS_TOPIC: "com.example.app",
};

const namesOf = (env: Readonly<Record<string, string>>) => channelsOf(readConfig(env)).map(({ name }) => name);

describe("the environment sets up", () => {
  test.each([
    [{}, []],
    [{ EXPO_PUSH: "1" }, ["push"]],
    [{ ...APNS, EXPO_PUSH: "1" }, ["push"]],
    [TWILIO, ["sms"]],
    [VONAGE, ["sms"]],
    [SNS, ["sms"]],
    [{ AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "of something else" }, []],
    [{ SLACK_TOKEN: "xoxb-1", DISCORD_TOKEN: "d", TELEGRAM_TOKEN: "t" }, ["slack", "discord", "telegram"]],
    [{ WHATSAPP_TOKEN: "w", WHATSAPP_PHONE_NUMBER_ID: "1065" }, ["whatsapp"]],
    [{ SLACK_TOKEN: "xoxb-1", CHAT_WEBHOOKS: "slack, teams" }, ["slack", "teams"]],
  ])("%o", (env, names) => {
    expect(namesOf(env)).toEqual(["email", "webhook", ...names]);
    expect(readConfig(env).isDemo).toBe(names.length === 0);
  });

  test("the platforms of push that have their keys", () => {
    const [, , push] = channelsOf(readConfig({ ...APNS, EXPO_PUSH: "1" }));
    expect(push?.devices).toEqual(["apns", "expo"]);
  });

  test.each<[Readonly<Record<string, string>>, string]>([
    [{ VAPID_PUBLIC_KEY: "x" }, "VAPID_SUBJECT: is needed beside VAPID_PUBLIC_KEY."],
    [{ VAPID_SUBJECT: "mailto:a@b.example", VAPID_PUBLIC_KEY: "x", VAPID_PRIVATE_KEY: "hush" }, "VAPID_PRIVATE_KEY: push's web.vapid"],
    [{ FCM_SERVICE_ACCOUNT: "hush" }, "FCM_SERVICE_ACCOUNT: the value neither begins with { nor is the path of a file"],
    [{ FCM_SERVICE_ACCOUNT: "{hush" }, "FCM_SERVICE_ACCOUNT: this is not the JSON of a service account."],
    [{ FCM_SERVICE_ACCOUNT: "{}" }, "FCM_SERVICE_ACCOUNT: push's fcm.serviceAccount has no project_id"],
    [{ ...APNS, APNS_KEY: "-----BEGIN hush" }, "APNS_TOPIC: push's apns.key"],
    [{ EXPO_PUSH: "yes" }, "EXPO_PUSH: must be 1"],
    [{ ...TWILIO, TWILIO_FROM: "" }, "TWILIO_FROM: is needed beside TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN."],
    [{ ...TWILIO, ...VONAGE }, "VONAGE_API_KEY: there is one channel for text messages"],
    [{ SNS_REGION: "eu-central-1" }, "AWS_ACCESS_KEY_ID: is needed beside SNS_REGION."],
    [{ SLACK_TOKEN: "hush\nhush" }, "SLACK_TOKEN: slack: token cannot be used"],
    [{ CHAT_WEBHOOKS: "telegram" }, 'CHAT_WEBHOOKS: "telegram" is none of slack, discord, teams.'],
    [{ POSTMARK_WEBHOOK_USER: "belfry" }, "POSTMARK_WEBHOOK_PASSWORD: is needed beside POSTMARK_WEBHOOK_USER."],
    [{ SENDGRID_WEBHOOK_KEY: "hush" }, "SENDGRID_WEBHOOK_KEY: mailReceipts: sendgrid.publicKey is not the verification key"],
    [{ SES_TOPIC_ARNS: "hush" }, "SES_TOPIC_ARNS: mailReceipts: ses.topicArns is not a list of one ARN"],
    [{ USER_ADDRESSES: "ann=hush" }, "USER_ADDRESSES: must be JSON such as"],
    [
      { USER_ADDRESSES: '{"ann": {"fax": "hush"}}' },
      'USER_ADDRESSES: ann has an address for "fax", which is no channel; the channels are email, webhook.',
    ],
    [
      { ...TWILIO, USER_ADDRESSES: '{"ann": {"sms": "hush"}}' },
      "USER_ADDRESSES: the address of ann for sms is no phone number with its country code; sms takes",
    ],
  ])("nothing of %o, and says which variable is wrong, without its value", (env, text) => {
    const start = () => {
      const config = readConfig(env);
      directoryOf(config, channelsOf(config));
    };
    expect(start).toThrow(text);
    expect(start).toThrow(expect.objectContaining({ message: expect.not.stringContaining("hush") }));
  });

  test("the addresses of users, beside their e-mail", async () => {
    const config = readConfig({
      ...TWILIO,
      USER_EMAILS: "ann=ann@example.com,bob=bob@example.com",
      USER_ADDRESSES: '{"ann": {"sms": "+4930123456"}}',
    });
    const contacts = await directoryOf(config, channelsOf(config))?.(["ann", "bob", "carl"], { tenant: "acme" });
    expect(contacts).toEqual(
      new Map([
        ["ann", { email: "ann@example.com", sms: "+4930123456" }],
        ["bob", { email: "bob@example.com" }],
      ]),
    );
  });
});

test("a browser gets what a client sends to its user over push", async () => {
  const browsers = await webPushService();
  onTestFinished(() => browsers.close());
  const { subject, publicKey, privateKey } = browsers.vapid;
  const keys = { VAPID_SUBJECT: subject, VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey };
  const server = await startServer({ ...keys, API_KEYS: "key=acme", WEBHOOK_ALLOW_PRIVATE: "1" });
  onTestFinished(async () => {
    expect(await server.stop()).toBe(0);
  });
  const post = async (path: string, body: object) => {
    const headers = { "X-API-Key": "key", "Content-Type": "application/json" };
    return (await fetch(`${server.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) })).status;
  };
  const device = { platform: "web", subscription: browsers.subscribe() };
  expect(await post("/api/belfry/v1/users/ann/devices", device)).toBe(200);
  expect(await post("/api/v1/notifications/", { type: "push", recipients: ["ann"], subject: "Hello", content: "Hi" })).toBe(201);
  await expect.poll(() => browsers.taken.map(({ message }) => message)).toMatchObject([{ title: "Hello", message: "Hi" }]);
});

test("a provider of mail reports by webhook what became of a mail, and nobody else does", async () => {
  const smtp = await smtpService();
  onTestFinished(() => smtp.close());
  const user = { POSTMARK_WEBHOOK_USER: "belfry", POSTMARK_WEBHOOK_PASSWORD: "a long secret" };
  const server = await startServer({ ...user, SMTP_URL: smtp.url, API_KEYS: "key=acme" });
  onTestFinished(async () => {
    expect(await server.stop()).toBe(0);
  });
  const headers = { "X-API-Key": "key", "Content-Type": "application/json" };
  const mail = { type: "email", recipients: ["ann@example.com"], subject: "Hello", content: "Hi" };
  const sent = await fetch(`${server.url}/api/v1/notifications/`, { method: "POST", headers, body: JSON.stringify(mail) });
  const { data } = (await sent.json()) as { readonly data: { readonly id: string } };
  const status = async () => {
    const shown = await fetch(`${server.url}/api/v1/notifications/${data.id}`, { headers });
    return ((await shown.json()) as { readonly data: { readonly status: string } }).data.status;
  };
  await expect.poll(status).toBe("delivered");
  // Postmark's reports have what the header said.
  const [, name = "", messageId] = /^X-PM-Metadata-(belfry-message-id):\s+(\S+)$/im.exec(`${smtp.taken[0]?.raw}`) ?? [];
  const event = { RecordType: "Bounce", Type: "HardBounce", Email: "ann@example.com", Metadata: { [name]: messageId } };
  const report = async (provider: string, password: string) => {
    const authorization = `Basic ${Buffer.from(`belfry:${password}`).toString("base64")}`;
    const request = { method: "POST", headers: { authorization }, body: JSON.stringify(event) };
    return (await fetch(`${server.url}/api/belfry/mail-receipts/${provider}`, request)).status;
  };
  expect(await report("postmark", "another")).toBe(401);
  expect(await report("mailgun", "a long secret")).toBe(404);
  expect(await status()).toBe("delivered");
  expect(await report("postmark", "a long secret")).toBe(200);
  expect(await status()).toBe("failed");
});
