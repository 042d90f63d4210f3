import { refusedCredentials, unreadableAnswer } from "@belfry/channel-http";
import { BelfryError, type DeliveryOutcome, type DeliveryTask, requireOptions } from "@belfry/core";
import { httpOutcome, type ReadAnswer, type Verdict } from "@belfry/egress";
import { bodyOf } from "./answer.ts";
import { APNS_OPTIONS, type ApnsOptions } from "./apns-options.ts";
import { fitted, type PushContent } from "./fit.ts";
import { type FreshToken, HeldToken } from "./held-token.ts";
import { Http2Client } from "./http2-client.ts";
import { GONE, noted, type Provider, type Push } from "./provider.ts";
import { privateKey, signedToken } from "./signed-token.ts";

const PROVIDER = "apns";
const URL_OF_APNS = "https://api.push.apple.com";
const MAX_BYTES = 4_096;
/** Apple refuses a token after an hour, and new ones that come more often than every 20 minutes. */
const TOKEN_MS = 50 * 60_000;
const COLLAPSE_BYTES = 64;

/** Reaches devices by Apple's push service, over one connection. */
export function apnsProvider(options: ApnsOptions, { now }: { readonly now: () => number }): Provider {
  requireOptions("push's apns", options, APNS_OPTIONS);
  const { teamId, keyId, key: pem, topic, url = URL_OF_APNS, ca } = options;
  for (const [name, value] of Object.entries({ teamId, keyId, topic })) {
    if (typeof value !== "string" || !/^[\w.-]{1,255}$/.test(value)) {
      throw new BelfryError("CONFIGURATION", `push's apns.${name} must be letters, digits, dots, _ and -.`);
    }
  }
  const key = { algorithm: "ES256", key: privateKey("push's apns.key", pem, "ec"), keyId } as const;
  const fresh = async (): Promise<FreshToken> => {
    const nowMs = now();
    return { token: signedToken(key, { iss: teamId, iat: Math.floor(nowMs / 1_000) }), untilMs: nowMs + TOKEN_MS };
  };
  const held = new HeldToken(fresh, now);
  const client = new Http2Client(url, ca);
  const send = ({ task, device, timeoutMs, signal }: Push, body: string, token: string) => {
    const headers = headersOf(task, { token, topic: device.app ?? topic });
    return client.post(`/3/device/${encodeURIComponent(device.token)}`, { headers, body, timeoutMs, signal });
  };
  return {
    async push(one): Promise<DeliveryOutcome> {
      const { task } = one;
      const { text, note } = fitted(task, MAX_BYTES, (content) => payloadOf(task, content));
      const { result, used } = await held.use(
        (token) => send(one, text, token),
        (answer) => answer.ok && answer.status === 403 && reasonOf(bodyOf(answer)) === "ExpiredProviderToken",
      );
      const about = {
        provider: PROVIDER,
        acceptedIs: "sent",
        messageId: task.id,
        nowMs: now(),
        judge,
        secrets: [one.device.token, ...used],
      } as const;
      return noted(httpOutcome(result, about), note);
    },
  };
}

function headersOf({ id, group, priority }: DeliveryTask, { token, topic }: { readonly token: string; readonly topic: string }) {
  return {
    ...{ authorization: `bearer ${token}`, "apns-topic": topic, "apns-push-type": "alert", "apns-id": id },
    "apns-priority": priority === "low" ? "5" : "10",
    ...(group === null ? {} : { "apns-collapse-id": collapseId(group) }),
  };
}

/** A group as a header takes it: what is too long, or not ASCII, becomes its bytes in base64url, cut. */
function collapseId(group: string): string {
  const isPlain = group.length <= COLLAPSE_BYTES && /^[\x21-\x7e]+$/.test(group);
  return isPlain ? group : Buffer.from(group).toString("base64url").slice(-COLLAPSE_BYTES);
}

function payloadOf({ notificationId, type, url, group, unread }: DeliveryTask, { title, message, data }: PushContent) {
  const badge = unread === null ? {} : { badge: unread };
  const thread = group === null ? {} : { "thread-id": group };
  return { aps: { alert: { title, body: message }, sound: "default", ...badge, ...thread }, id: notificationId, type, url, data };
}

function reasonOf(json: unknown): string {
  const { reason } = (json as { readonly reason?: unknown } | null) ?? {};
  return typeof reason === "string" && /^\w{1,100}$/.test(reason) ? reason : "";
}

const OF_CREDENTIALS: readonly string[] = ["InvalidProviderToken", "ExpiredProviderToken", "MissingProviderToken"];
const OF_GONE: readonly string[] = ["BadDeviceToken", "Unregistered", "ExpiredToken"];

function judge(answer: ReadAnswer): Verdict | null {
  const { status } = answer;
  const reason = reasonOf(answer.json);
  const error = `Apple's service answered ${status}${reason === "" ? "" : `: ${reason}`}`;
  if (status === 410 || OF_GONE.includes(reason)) {
    return { ...GONE, error };
  }
  if (OF_CREDENTIALS.includes(reason)) {
    return refusedCredentials("Apple's service", reason);
  }
  // It takes a push without a word.
  if (status < 300) {
    return answer.text === "" ? null : unreadableAnswer("Apple's service");
  }
  return status >= 400 && status < 500 && status !== 429 && status !== 408 ? { accepted: false, transient: false, error } : null;
}
