import { readFileSync } from "node:fs";
import { discord, slack, teams, telegram, whatsapp } from "@belfry/channel-chat";
import type { PushOptions, ServiceAccount } from "@belfry/channel-push";
import { sns, twilio, vonage } from "@belfry/channel-sms";
import type { Channel } from "@belfry/core";
import type { SetUp, SharedOptions } from "./set-up.ts";

/** Chats, each a channel of its own. */
export const CHATS: readonly SetUp<Channel>[] = [
  { needs: ["SLACK_TOKEN"], make: ({ SLACK_TOKEN = "" }, shared) => slack({ token: SLACK_TOKEN, ...shared }) },
  { needs: ["DISCORD_TOKEN"], make: ({ DISCORD_TOKEN = "" }, shared) => discord({ token: DISCORD_TOKEN, ...shared }) },
  { needs: ["TELEGRAM_TOKEN"], make: ({ TELEGRAM_TOKEN = "" }, shared) => telegram({ token: TELEGRAM_TOKEN, ...shared }) },
  {
    needs: ["WHATSAPP_TOKEN", "WHATSAPP_PHONE_NUMBER_ID"],
    make: ({ WHATSAPP_TOKEN = "", WHATSAPP_PHONE_NUMBER_ID = "" }, shared) =>
      whatsapp({ token: WHATSAPP_TOKEN, phoneNumberId: WHATSAPP_PHONE_NUMBER_ID, ...shared }),
  },
];

/** Chats that need no token: whoever has the URL of a webhook may post. */
export const WEBHOOK_CHATS: Readonly<Record<string, (shared: SharedOptions) => Channel>> = { slack, discord, teams };

/** The providers of text messages, of which a host has one. */
export const TEXTS: readonly SetUp<Channel>[] = [
  {
    needs: ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"],
    make: ({ TWILIO_ACCOUNT_SID = "", TWILIO_AUTH_TOKEN = "", TWILIO_FROM = "" }, shared) =>
      twilio({ accountSid: TWILIO_ACCOUNT_SID, authToken: TWILIO_AUTH_TOKEN, from: TWILIO_FROM, ...shared }),
  },
  {
    needs: ["VONAGE_API_KEY", "VONAGE_API_SECRET", "VONAGE_FROM"],
    make: ({ VONAGE_API_KEY = "", VONAGE_API_SECRET = "", VONAGE_FROM = "" }, shared) =>
      vonage({ apiKey: VONAGE_API_KEY, apiSecret: VONAGE_API_SECRET, from: VONAGE_FROM, ...shared }),
  },
  {
    needs: ["SNS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    // The keys may be there for something else.
    asks: ["SNS_REGION"],
    make({ SNS_REGION = "", AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "", AWS_SESSION_TOKEN, SNS_SENDER_ID }, shared) {
      const session = AWS_SESSION_TOKEN === undefined ? {} : { sessionToken: AWS_SESSION_TOKEN };
      const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY, ...session };
      return sns({ region: SNS_REGION, credentials, ...(SNS_SENDER_ID !== undefined && { senderId: SNS_SENDER_ID }), ...shared });
    },
  },
];

const APNS_SANDBOX = "https://api.sandbox.push.apple.com";

/** The platforms of the one channel for devices. */
export const PLATFORMS: readonly SetUp<Pick<PushOptions, "web" | "fcm" | "apns" | "expo">>[] = [
  {
    needs: ["VAPID_SUBJECT", "VAPID_PUBLIC_KEY", "VAPID_PRIVATE_KEY"],
    make: ({ VAPID_SUBJECT = "", VAPID_PUBLIC_KEY = "", VAPID_PRIVATE_KEY = "" }) => ({
      web: { vapid: { subject: VAPID_SUBJECT, publicKey: VAPID_PUBLIC_KEY, privateKey: VAPID_PRIVATE_KEY } },
    }),
  },
  {
    needs: ["FCM_SERVICE_ACCOUNT"],
    make: ({ FCM_SERVICE_ACCOUNT = "" }) => ({ fcm: { serviceAccount: accountOf(FCM_SERVICE_ACCOUNT) } }),
  },
  {
    needs: ["APNS_TEAM_ID", "APNS_KEY_ID", "APNS_KEY", "APNS_TOPIC"],
    make({ APNS_TEAM_ID = "", APNS_KEY_ID = "", APNS_KEY = "", APNS_TOPIC = "", APNS_SANDBOX: isSandbox = "0" }) {
      const url = isSandbox === "1" ? { url: APNS_SANDBOX } : {};
      return { apns: { teamId: APNS_TEAM_ID, keyId: APNS_KEY_ID, key: textOrFile(APNS_KEY, "-----BEGIN"), topic: APNS_TOPIC, ...url } };
    },
  },
  {
    needs: ["EXPO_PUSH"],
    make: ({ EXPO_ACCESS_TOKEN }) => ({ expo: EXPO_ACCESS_TOKEN === undefined ? {} : { accessToken: EXPO_ACCESS_TOKEN } }),
  },
];

/** A value as it is, if it begins so; else the contents of the file that it names. No message repeats the value: it may be a secret. */
function textOrFile(value: string, begins: string): string {
  if (value.startsWith(begins)) {
    return value;
  }
  try {
    return readFileSync(value, "utf8");
  } catch {
    throw new Error(`the value neither begins with ${begins} nor is the path of a file that can be read.`);
  }
}

function accountOf(value: string): ServiceAccount {
  const text = textOrFile(value, "{");
  try {
    return JSON.parse(text) as ServiceAccount;
  } catch {
    // The parser's words repeat what it read.
    throw new Error("this is not the JSON of a service account.");
  }
}
