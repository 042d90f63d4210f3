import { createHash } from "node:crypto";
import { refusedCredentials } from "@belfry/channel-http";
import { BelfryError, type DeliveryTask, type PushDevice, requireOptions } from "@belfry/core";
import { type Egress, httpOutcome, type ReadAnswer, type Verdict } from "@belfry/egress";
import webPush from "web-push";
import { fitted } from "./fit.ts";
import { GONE, noted, type Provider, type Push } from "./provider.ts";
import { VAPID_KEYS, WEB_OPTIONS, type WebPushOptions } from "./push-options.ts";

const PROVIDER = "web-push";
/** What a record of 4,096 bytes, which every push service takes, has room for beside its header, the tag of its cipher and the end of its text. */
const MAX_BYTES = 3_993;
const TTL_SECONDS = 4 * 7 * 86_400;
const TOPIC_CHARACTERS = 32;
const URGENCY = { low: "low", normal: "normal", high: "high", urgent: "high" } as const;

/** Reaches browsers, by the Web Push protocol (RFC 8030, 8291 and 8292). */
export function webProvider(options: WebPushOptions, { egress, now }: { readonly egress: Egress; readonly now: () => number }): Provider {
  requireOptions("push's web", options, WEB_OPTIONS);
  const { vapid, ttlSeconds = TTL_SECONDS } = options;
  requireOptions("push's web.vapid", vapid, VAPID_KEYS);
  if (!(Number.isSafeInteger(ttlSeconds) && ttlSeconds >= 0)) {
    throw new BelfryError("CONFIGURATION", "push's web.ttlSeconds is no whole number of seconds from 0");
  }
  const vapidDetails = { subject: vapid.subject, publicKey: vapid.publicKey, privateKey: vapid.privateKey };
  requireVapid(vapidDetails);
  const requestOf = ({ task, device: { token, keys } }: Push, payload: string) => {
    const { body, headers } = webPush.generateRequestDetails({ endpoint: token, keys: keys ?? { p256dh: "", auth: "" } }, payload, {
      ...{ vapidDetails, TTL: ttlSeconds, urgency: URGENCY[task.priority], contentEncoding: "aes128gcm" },
      topic: topicOf(task),
    });
    const own = Object.entries(headers).filter(([name]) => name !== "Content-Length");
    return { body, headers: Object.fromEntries(own.map(([name, value]) => [name, String(value)])) };
  };
  return {
    async push(one) {
      const { task, device, timeoutMs, signal } = one;
      const { text, note } = fitted(task, MAX_BYTES, (content) => ({ ...contentOf(task), ...content }));
      const request = requestOf(one, text);
      const result = await egress.send(device.token, { method: "POST", ...request, timeoutMs, signal });
      const secrets = [device.token, request.headers.Authorization ?? ""];
      const about = { provider: PROVIDER, acceptedIs: "sent", messageId: task.id, nowMs: now(), judge, secrets } as const;
      return noted(httpOutcome(result, about), note);
    },
  };
}

/** Returns why a browser cannot be reached; null if it can. */
export function invalidBrowser({ token, keys }: PushDevice, egress: Egress): string | null {
  return keys === null ? "has no keys of a browser" : egress.checkUrl(token);
}

/** What the service worker gets beside the texts and the data. Of a digest, `id` is the first of its notifications. */
function contentOf({ notificationId, type, url, group, unread, actions, priority, locale, digest }: DeliveryTask) {
  return { id: notificationId, type, url, group, unread, actions, priority, locale, digest: digest === null ? null : digest.total };
}

/**
 * A later push with the same topic takes the place of one that waits: one of the same group, or a repetition of the same delivery. Any text
 * becomes a topic by its digest.
 */
function topicOf({ id, group }: DeliveryTask): string {
  return createHash("sha256")
    .update(group ?? `\0${id}`)
    .digest("base64url")
    .slice(0, TOPIC_CHARACTERS);
}

function judge({ status }: ReadAnswer): Verdict | null {
  if (status === 404 || status === 410) {
    return { ...GONE, error: `the push service answered ${status}: the subscription is gone` };
  }
  // The sender's token is not taken. With 403 it is, and is not the one that the browser subscribed to.
  if (status === 401) {
    return refusedCredentials("the push service", "401");
  }
  const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 429;
  return isFinal ? { accepted: false, transient: false, error: `the push service answered ${status}` } : null;
}

function requireVapid(details: { readonly subject: string; readonly publicKey: string; readonly privateKey: string }): void {
  try {
    webPush.getVapidHeaders("https://push.invalid", details.subject, details.publicKey, details.privateKey, "aes128gcm");
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new BelfryError("CONFIGURATION", `push's web.vapid cannot be used: ${problem}`);
  }
}
