import { refusedCredentials } from "@belfry/channel-http";
import { BelfryError, type DeliveryTask, requireOptions } from "@belfry/core";
import { type Egress, httpOutcome, type ReadAnswer, type Verdict } from "@belfry/egress";
import { fitted, type PushContent } from "./fit.ts";
import { GONE, noted, type Provider } from "./provider.ts";
import { EXPO_OPTIONS, type ExpoOptions } from "./push-options.ts";
import { requireUrl } from "./require-url.ts";

const PROVIDER = "expo";
const URL_OF_EXPO = "https://exp.host";
const MAX_BYTES = 4_000;

/** Reaches devices by Expo's push service. */
export function expoProvider(options: ExpoOptions, { egress, now }: { readonly egress: Egress; readonly now: () => number }): Provider {
  requireOptions("push's expo", options, EXPO_OPTIONS);
  const { accessToken, url = URL_OF_EXPO } = options;
  requireUrl("push's expo.url", url);
  if (accessToken !== undefined && (typeof accessToken !== "string" || !/^[\x20-\x7e]+$/.test(accessToken))) {
    throw new BelfryError("CONFIGURATION", "push's expo.accessToken is no text of printable ASCII");
  }
  const target = `${url.replace(/\/+$/, "")}/--/api/v2/push/send`;
  const headers = {
    ...{ "content-type": "application/json", accept: "application/json" },
    ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
  };
  return {
    async push({ task, device, timeoutMs, signal }) {
      const { text: body, note } = fitted(task, MAX_BYTES, (content) => messageOf(task, device.token, content));
      const result = await egress.send(target, { method: "POST", headers, body, timeoutMs, signal });
      const about = {
        provider: PROVIDER,
        acceptedIs: "sent",
        messageId: task.id,
        nowMs: now(),
        judge,
        secrets: [device.token, accessToken ?? ""],
      } as const;
      return noted(httpOutcome(result, about), note);
    },
  };
}

function messageOf({ notificationId, id, type, url, group, unread, priority }: DeliveryTask, to: string, content: PushContent) {
  const { title, message: body, data } = content;
  const facts = { id: notificationId, delivery: id, type, url, group };
  const isUrgent = priority === "high" || priority === "urgent";
  const badge = unread === null ? {} : { badge: unread };
  return { to, title, body, data: { ...facts, data }, priority: isUrgent ? "high" : "default", ...badge };
}

/** A ticket of Expo: it comes with 200, whatever became of the push. */
interface Ticket {
  readonly status?: unknown;
  readonly details?: { readonly error?: unknown } | null;
}

const TRANSIENT: readonly unknown[] = ["MessageRateExceeded"];

function judge(answer: ReadAnswer): Verdict | null {
  const { status } = answer;
  if (status === 401 || status === 403) {
    return refusedCredentials("Expo", String(status));
  }
  if (status >= 400 && status < 500 && status !== 429 && status !== 408) {
    return { accepted: false, transient: false, error: `Expo answered ${status}` };
  }
  if (status !== 200) {
    return null;
  }
  const { data: ticket } = (answer.json as { readonly data?: Ticket | null } | null) ?? {};
  if (ticket?.status === "ok") {
    return null;
  }
  const problem = ticket?.details?.error;
  if (problem === "DeviceNotRegistered") {
    return { ...GONE, error: "Expo answered that the device is not registered any more" };
  }
  const isKnown = ticket?.status === "error" && typeof problem === "string";
  // An answer that says nothing may stand for a push that went out, or for none.
  const transient = !isKnown || TRANSIENT.includes(problem);
  return { accepted: false, transient, error: isKnown ? `Expo answered ${problem}` : "Expo answered without a ticket" };
}
