import { requireText } from "@belfry/channel-http";
import { BelfryError, requireOptions } from "@belfry/core";
import { signTwilio } from "./sign-twilio.ts";
import { headerOf, isEqual, queryOf, requireRequest, type SmsStatus, STATUS_REQUEST, type StatusRequest, UNSIGNED } from "./sms-status.ts";

/** A report of Twilio, and how it is read. */
export interface TwilioStatusOptions extends StatusRequest {
  /** The account's token, which signs them. */
  readonly authToken: string;
  /** As the channel has it. */
  readonly statusUrl: string;
}

/** The parameter that names the delivery. */
const DELIVERY = "delivery";

/** Checks the address that Twilio reports to. @throws BelfryError `CONFIGURATION` */
export function requireStatusUrl(what: string, given: unknown): string {
  const protocol = typeof given === "string" ? URL.parse(given)?.protocol : undefined;
  if (typeof given !== "string" || (protocol !== "https:" && protocol !== "http:")) {
    throw new BelfryError("CONFIGURATION", `${what} cannot be used; give the address of your application that Twilio's reports come to.`);
  }
  return given;
}

/** The address that Twilio reports a delivery to. */
export function statusUrlOf(statusUrl: string, deliveryId: string): string {
  const url = new URL(statusUrl);
  url.searchParams.set(DELIVERY, deliveryId);
  // No request has it, so Twilio signs the address without it.
  url.hash = "";
  return url.href;
}

/** Nothing will reach the number: it is none, it has no text messages, or its owner answered STOP. */
const GONE: ReadonlySet<string> = new Set(["21211", "21610", "21614", "30004", "30005", "30006"]);

/**
 * Reads a report of Twilio, to which the channel's `statusUrl` had it sent: `X-Twilio-Signature` says whether it is one.
 *
 * @throws BelfryError `CONFIGURATION` for options that cannot be used
 * @example
 * ```ts
 * const { isSigned, receipt } = twilioStatus({ authToken, statusUrl, url: request.url, headers: request.headers, body });
 * if (receipt !== null) {
 *   await notifications.receiptsOfAll.record(receipt);
 * }
 * ```
 */
export function twilioStatus(options: TwilioStatusOptions): SmsStatus {
  requireOptions("twilioStatus", options, { ...STATUS_REQUEST, authToken: true, statusUrl: true });
  const { url, headers, body, channel } = requireRequest("twilioStatus", options);
  const authToken = requireText("twilioStatus: authToken", options.authToken, { form: /^[\x21-\x7e]+$/, remedy: "the account's token" });
  const statusUrl = requireStatusUrl("twilioStatus: statusUrl", options.statusUrl);
  const deliveryId = queryOf(url).get(DELIVERY) ?? "";
  const fields = new URLSearchParams(body);
  const signature = signTwilio(statusUrlOf(statusUrl, deliveryId), fields, authToken);
  if (!isEqual(headerOf({ headers }, "x-twilio-signature"), signature)) {
    return UNSIGNED;
  }
  const [status, code = "", address] = ["MessageStatus", "ErrorCode", "To"].map((name) => fields.get(name) ?? undefined);
  const about = { messageId: deliveryId, channel, provider: "twilio", ...(address !== undefined && { address }) };
  if (status === "delivered" || status === "read") {
    return { isSigned: true, receipt: { ...about, kind: "delivered" } };
  }
  if (status !== "undelivered" && status !== "failed") {
    return { isSigned: true, receipt: null };
  }
  return {
    isSigned: true,
    receipt: { ...about, kind: GONE.has(code) ? "hard_bounce" : "soft_bounce", detail: `${status} ${code}`.trim() },
  };
}
