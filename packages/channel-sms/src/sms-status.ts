import { timingSafeEqual } from "node:crypto";
import { BelfryError, type Receipt } from "@belfry/core";

/** A request of a provider that says what became of a text message, as the host's framework has it, and whose it is. */
export interface StatusRequest {
  /** The URL as it came: a path with its query is enough. */
  readonly url: string;
  /** The headers, with names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The body as text; empty for none. */
  readonly body: string;
  /** The channel's name. @default "sms" */
  readonly channel?: string;
}

/** Checks a request that the host passed on. @throws BelfryError `CONFIGURATION` */
export function requireRequest(what: string, { url, headers, body, channel = "sms" }: StatusRequest): Required<StatusRequest> {
  const stranger = Object.entries({ url, body, channel }).find(([, value]) => typeof value !== "string");
  if (stranger !== undefined) {
    throw new BelfryError("CONFIGURATION", `${what}: ${stranger[0]} is no text.`);
  }
  if (typeof headers !== "object" || headers === null || headers instanceof Headers) {
    // A signature would be found in none of these, and every report refused.
    throw new BelfryError(
      "CONFIGURATION",
      `${what}: headers is no plain object; of a fetch Request, give Object.fromEntries(request.headers).`,
    );
  }
  return { url, headers, body, channel };
}

/** A header that came once; empty for one that did not. */
export function headerOf({ headers }: Pick<StatusRequest, "headers">, name: string): string {
  const value = headers[name];
  return typeof value === "string" ? value : "";
}

/** The members of a request by name. */
export const STATUS_REQUEST: Readonly<Record<keyof StatusRequest, true>> = { url: true, headers: true, body: true, channel: true };

/** What a provider's request says. */
export interface SmsStatus {
  /** Whether the provider signed it. Answer 403 if it did not. */
  readonly isSigned: boolean;
  /** For `notifications.receipts.record`; null if it says nothing that lasts, or is not signed. */
  readonly receipt: Receipt | null;
}

/** A request that nobody signed. */
export const UNSIGNED: SmsStatus = { isSigned: false, receipt: null };

/** Whether two texts are equal, in a time that says nothing of where they differ. */
export function isEqual(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The query of a URL, or of a path. */
export function queryOf(url: string): URLSearchParams {
  return URL.parse(url, "http://localhost")?.searchParams ?? new URLSearchParams();
}
