import type { KeyObject } from "node:crypto";
import { BelfryError, type Channel, type DeliveryOutcome, type DeliveryTask, requireOptions } from "@belfry/core";
import { createEgress, faultOfTimes, httpOutcome, keptExchange } from "@belfry/egress";
import { invalidWebhookHeaders } from "./invalid-webhook-headers.ts";
import { invalidWebhookData, payloadOf } from "./payload.ts";
import { signingKeys } from "./secrets.ts";
import { signatureHeader } from "./sign.ts";
import { WEBHOOK_EGRESS, WEBHOOK_OPTIONS, type WebhookOptions } from "./webhook-options.ts";

const PROVIDER = "webhook";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const RETRY_DELAYS_MS = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR];
const DEFAULT_TIMEOUT_MS = 15 * SECOND;
/** The channel ends an attempt itself and says why. The engine's limit is this much longer, in case that fails. */
const ENGINE_MARGIN_MS = SECOND;

const KEPT: readonly NonNullable<WebhookOptions["exchanges"]>[] = ["all", "failures", "none"];

/**
 * Makes the channel that posts notifications to URLs, signed as Standard Webhooks requires. 2xx is `delivered`; 410 and
 * redirects fail for good; every other answer is a transient failure, retried after `Retry-After` if the receiver gives it.
 *
 * @throws `CONFIGURATION` for a secret that cannot be used.
 * @example
 * ```ts
 * const notifications = new NotificationService({ storage, channels: [webhook({ secret: "whsec_…" })] });
 * ```
 */
export function webhook(options: WebhookOptions): Channel {
  requireOptions("webhook", options, WEBHOOK_OPTIONS);
  requireOptions("webhook's egress", options.egress ?? {}, WEBHOOK_EGRESS);
  if (options.headers !== undefined && typeof options.headers !== "function") {
    throw new BelfryError("CONFIGURATION", "webhook: headers is not a function of the tenant; give (tenant) => ({ … })");
  }
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const fault = faultOfTimes({ timeoutMs, retryDelaysMs: options.retryDelaysMs });
  if (fault !== null) {
    throw new BelfryError("CONFIGURATION", `webhook: ${fault}`);
  }
  const { exchanges = "all" } = options;
  if (!KEPT.includes(exchanges)) {
    throw new BelfryError("CONFIGURATION", `webhook: exchanges is not one of ${KEPT.join(", ")}`);
  }
  const egress = createEgress({ ...options.egress, allowPrivate: options.allowPrivate ?? false });
  const keysOf = keySource(options.secret);
  const now = options.now ?? Date.now;
  return {
    name: options.name ?? "webhook",
    contents: ["body"],
    takes: `${options.allowPrivate === true ? "" : "public https "}URLs, such as https://example.com/notifications`,
    retryDelaysMs: options.retryDelaysMs ?? RETRY_DELAYS_MS,
    timeoutMs: timeoutMs + ENGINE_MARGIN_MS,
    invalidRecipient: (recipient) => egress.checkUrl(recipient),
    invalidData: invalidWebhookData,
    async deliver(task, signal): Promise<DeliveryOutcome> {
      const headers = (await options.headers?.(task.tenant)) ?? {};
      const problems = invalidWebhookHeaders(headers);
      if (problems.length > 0) {
        const error = `the tenant's headers cannot be sent: ${problems.join("; ")}`;
        return { status: "failed", provider: PROVIDER, transient: false, error };
      }
      const body = payloadOf(task);
      const signed = signedHeaders({ task, body, keys: await keysOf(task.tenant), nowMs: now() });
      const request = { method: "POST", headers: { "User-Agent": "Belfry", ...headers, ...signed }, body, timeoutMs, signal } as const;
      const result = await egress.send(task.address, request);
      const outcome = httpOutcome(result, { provider: PROVIDER, acceptedIs: "delivered", messageId: task.id, nowMs: now() });
      const isKept = exchanges === "all" || (exchanges === "failures" && outcome.status === "failed");
      return isKept ? { ...outcome, exchange: keptExchange(task.address, request, result) } : outcome;
    },
  } satisfies Channel;
}

/** Checks fixed secrets at once, and a tenant's secrets at use. */
function keySource(secret: WebhookOptions["secret"]): (tenant: string) => readonly KeyObject[] | Promise<readonly KeyObject[]> {
  if (typeof secret === "function") {
    return async (tenant) => signingKeys(await secret(tenant));
  }
  const keys = signingKeys(secret);
  return () => keys;
}

interface Signing {
  readonly task: DeliveryTask;
  readonly body: string;
  readonly keys: readonly KeyObject[];
  readonly nowMs: number;
}

function signedHeaders({ task, body, keys, nowMs }: Signing): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / SECOND));
  return {
    "Content-Type": "application/json",
    "webhook-id": task.id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatureHeader({ id: task.id, timestamp, body }, keys),
  };
}
