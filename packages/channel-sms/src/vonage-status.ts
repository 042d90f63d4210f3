import { createHmac } from "node:crypto";
import { requireText } from "@belfry/channel-http";
import { requireOptions } from "@belfry/core";
import { headerOf, isEqual, queryOf, requireRequest, type SmsStatus, STATUS_REQUEST, type StatusRequest, UNSIGNED } from "./sms-status.ts";

/** A receipt of Vonage, and how it is read. */
export interface VonageStatusOptions extends StatusRequest {
  /** The account's signature secret, with the method SHA-256 HMAC. */
  readonly signatureSecret: string;
}

/** The number is none, is gone for good, or its owner wants no messages. */
const GONE: ReadonlySet<string> = new Set(["3", "4", "9"]);
const FAILED: ReadonlySet<string> = new Set(["failed", "rejected", "expired"]);

/**
 * Reads a delivery receipt of Vonage, which it sends to the URL that your account names, in a query, a form or JSON: its `sig` says whether
 * it is one. It knows the delivery, since the channel sends its id as `client-ref`.
 *
 * @throws BelfryError `CONFIGURATION` for options that cannot be used
 * @example
 * ```ts
 * const { isSigned, receipt } = vonageStatus({ signatureSecret, url: request.url, headers: request.headers, body });
 * ```
 */
export function vonageStatus(options: VonageStatusOptions): SmsStatus {
  requireOptions("vonageStatus", options, { ...STATUS_REQUEST, signatureSecret: true });
  const { channel, ...request } = requireRequest("vonageStatus", options);
  const secret = requireText("vonageStatus: signatureSecret", options.signatureSecret, {
    form: /^[\x21-\x7e]+$/,
    remedy: "the signature secret of Vonage's dashboard",
  });
  const { sig = "", ...fields } = fieldsOf(request);
  const names = Object.keys(fields).sort();
  const signed = names.map((name) => `&${name}=${(fields[name] ?? "").replaceAll(/[&=]/g, "_")}`).join("");
  if (!isEqual(sig.toLowerCase(), createHmac("sha256", secret).update(signed).digest("hex"))) {
    return UNSIGNED;
  }
  const { status = "", "err-code": code = "", "client-ref": messageId = "", msisdn } = fields;
  const about = { messageId, channel, provider: "vonage", ...(msisdn !== undefined && { address: `+${msisdn}` }) };
  if (status === "delivered") {
    return { isSigned: true, receipt: { ...about, kind: "delivered" } };
  }
  if (!FAILED.has(status)) {
    return { isSigned: true, receipt: null };
  }
  return {
    isSigned: true,
    receipt: { ...about, kind: GONE.has(code) ? "hard_bounce" : "soft_bounce", detail: `${status} ${code}`.trim() },
  };
}

/** The members of a receipt as texts: those of its body, or of the query if it has none. Beside a body, the query is the host's own. */
function fieldsOf({ url, headers, body }: StatusRequest): Readonly<Record<string, string>> {
  if (body === "") {
    return Object.fromEntries(queryOf(url));
  }
  if (!headerOf({ headers }, "content-type").toLowerCase().startsWith("application/json")) {
    return Object.fromEntries(new URLSearchParams(body));
  }
  const json = jsonOf(body);
  const members = typeof json === "object" && json !== null ? Object.entries(json) : [];
  return Object.fromEntries(members.map(([name, value]) => [name, String(value)]));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON has no members.
    return null;
  }
}
