import { memberOf, refusedCredentials, unreadableAnswer } from "@belfry/channel-http";
import { BelfryError, type DeliveryOutcome, type DeliveryTask, requireOptions } from "@belfry/core";
import { type Egress, type EgressResult, httpOutcome, type ReadAnswer, type Verdict } from "@belfry/egress";
import { bodyOf } from "./answer.ts";
import { fitted, type PushContent } from "./fit.ts";
import { type FreshToken, HeldToken } from "./held-token.ts";
import { GONE, noted, type Provider, type Push } from "./provider.ts";
import { FCM_OPTIONS, type FcmOptions } from "./push-options.ts";
import { requireUrl } from "./require-url.ts";
import { privateKey, signedToken } from "./signed-token.ts";

const PROVIDER = "fcm";
const URL_OF_FCM = "https://fcm.googleapis.com";
const URL_OF_TOKENS = "https://oauth2.googleapis.com/token";
const SCOPE = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const MAX_BYTES = 4_000;
const TOKEN_SECONDS = 3_600;
/** A token is renewed so long before it is over. */
const MARGIN_MS = 60_000;

/** Reaches devices by Firebase Cloud Messaging, over its HTTP v1 API. */
export function fcmProvider(options: FcmOptions, { egress, now }: { readonly egress: Egress; readonly now: () => number }): Provider {
  requireOptions("push's fcm", options, FCM_OPTIONS);
  const { serviceAccount, url = URL_OF_FCM } = options;
  const { project_id: project, client_email: email, private_key: pem, token_uri: tokenUrl = URL_OF_TOKENS } = serviceAccount ?? {};
  if (typeof project !== "string" || typeof email !== "string") {
    throw new BelfryError("CONFIGURATION", "push's fcm.serviceAccount has no project_id or no client_email: give the JSON of its file.");
  }
  requireUrl("push's fcm.url", url);
  const key = { algorithm: "RS256", key: privateKey("push's fcm.serviceAccount.private_key", pem, "rsa"), keyId: null } as const;
  const fresh = async (): Promise<FreshToken> => {
    const iat = Math.floor(now() / 1_000);
    const assertion = signedToken(key, { iss: email, scope: SCOPE, aud: tokenUrl, iat, exp: iat + TOKEN_SECONDS });
    const body = new URLSearchParams({ grant_type: GRANT, assertion }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return tokenOf(await egress.send(tokenUrl, { method: "POST", headers, body, overflow: "refuse" }), now());
  };
  const held = new HeldToken(fresh, now);
  const target = `${url.replace(/\/+$/, "")}/v1/projects/${encodeURIComponent(project)}/messages:send`;
  const send = async ({ timeoutMs, signal }: Push, body: string, token: string) => {
    // To get a token may have taken too long.
    signal.throwIfAborted();
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    return egress.send(target, { method: "POST", headers, body, timeoutMs, signal });
  };
  return {
    async push(one): Promise<DeliveryOutcome> {
      const { task, device } = one;
      const { text, note } = fitted(task, MAX_BYTES, (content) => messageOf(task, device.token, content));
      const { result, used } = await held.use(
        (token) => send(one, text, token),
        (answer) => answer.ok && answer.status === 401,
      );
      const about = {
        provider: PROVIDER,
        acceptedIs: "sent",
        messageId: task.id,
        nowMs: now(),
        judge,
        secrets: [device.token, ...used],
      } as const;
      return noted(httpOutcome(result, about), note);
    },
  };
}

/** The message as Firebase has it: its data are texts. */
function messageOf(task: DeliveryTask, token: string, { title, message, data }: PushContent) {
  const { notificationId, type, url, group, unread, priority } = task;
  const facts = { id: notificationId, type, delivery: task.id, ...(url === null ? {} : { url }), ...(group === null ? {} : { group }) };
  const isUrgent = priority === "high" || priority === "urgent";
  const aps = { ...(unread === null ? {} : { badge: unread }), ...(group === null ? {} : { "thread-id": group }) };
  // A repetition takes the place of what is shown already.
  const shown = { tag: group ?? task.id, ...(unread === null ? {} : { notification_count: unread }) };
  return {
    message: {
      token,
      notification: { title, body: message },
      data: { ...facts, ...(Object.keys(data).length === 0 ? {} : { data: JSON.stringify(data) }) },
      android: { priority: isUrgent ? "HIGH" : "NORMAL", ...(group === null ? {} : { collapse_key: group }), notification: shown },
      apns: { payload: { aps } },
    },
  };
}

/** What Firebase's answers say beside their status. */
interface FcmError {
  readonly error?: { readonly status?: unknown; readonly details?: readonly { readonly errorCode?: unknown }[] };
}

function judge(answer: ReadAnswer): Verdict | null {
  const { status, details } = (answer.json as FcmError | null)?.error ?? {};
  const code = Array.isArray(details) ? details.find((detail) => typeof detail?.errorCode === "string")?.errorCode : undefined;
  if (code === "UNREGISTERED" || answer.status === 404) {
    return { ...GONE, error: `Firebase answered ${answer.status}: the device is not registered any more` };
  }
  if (answer.status === 401) {
    return refusedCredentials("Firebase", "401");
  }
  if (answer.status < 300) {
    return typeof memberOf(answer.json, "name") === "string" ? null : unreadableAnswer("Firebase");
  }
  const isFinal = answer.status >= 400 && answer.status < 500 && answer.status !== 429 && answer.status !== 408;
  const named = code ?? status;
  return isFinal
    ? { accepted: false, transient: false, error: `Firebase answered ${answer.status}${typeof named === "string" ? `: ${named}` : ""}` }
    : null;
}

/** Reads a token of Google. No message shows the answer, which may hold one. */
function tokenOf(result: EgressResult, nowMs: number): FreshToken {
  if (!result.ok) {
    throw new Error(`Google gave no token: ${result.code}: ${result.error}`);
  }
  const { access_token: token, expires_in: seconds } = (bodyOf(result) as { access_token?: unknown; expires_in?: unknown } | null) ?? {};
  if (result.status !== 200 || typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) {
    throw new Error(`Google gave no token: it answered ${result.status}`);
  }
  const lifetimeMs = (typeof seconds === "number" ? seconds : TOKEN_SECONDS) * 1_000;
  return { token, untilMs: nowMs + Math.max(0, lifetimeMs - MARGIN_MS) };
}
