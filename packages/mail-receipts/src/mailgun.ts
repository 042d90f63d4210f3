import { createHmac } from "node:crypto";
import type { Clock, Receipt } from "@belfry/core";
import type { Provider } from "./provider.ts";
import { memberOf, receiptOf, textOf, timeOf } from "./read-event.ts";
import { isRecent, isSame, parsed, requireGenuine } from "./verify.ts";

/** How webhooks of Mailgun are verified. */
export interface MailgunReceipts {
  /** The HTTP webhook signing key of the account. */
  readonly signingKey: string;
}

/** How many tokens of requests are remembered. */
const MAX_TOKENS = 10_000;

/**
 * Webhooks of Mailgun: one event each. Their signature covers a time and a token, and not the event, so a token counts once: whoever saw a request could
 * else send another event with its signature. A request that was not recorded may come again.
 */
export function mailgun({ signingKey }: MailgunReceipts, clock: Pick<Clock, "now">): Provider {
  const used = new Set<string>();
  return {
    name: "mailgun",
    read({ bytes }) {
      const body = parsed(bytes);
      const [timestamp = "", token = ""] = [textOf(body, "signature", "timestamp"), textOf(body, "signature", "token")];
      const expected = createHmac("sha256", signingKey).update(`${timestamp}${token}`).digest("hex");
      const isSigned = isSame(textOf(body, "signature", "signature") ?? "", expected);
      requireGenuine(isSigned && token !== "" && isRecent(timeOf(Number(timestamp)), clock.now()) && !used.has(token));
      return { receipts: receiptsOf(memberOf(body, "event-data")), recorded: () => remember(used, token) };
    },
  };
}

function remember(used: Set<string>, token: string): void {
  used.add(token);
  const [oldest] = used;
  if (used.size > MAX_TOKENS && oldest !== undefined) {
    used.delete(oldest);
  }
}

function receiptsOf(event: unknown): readonly Receipt[] {
  const kind = kindOf(event);
  if (kind === undefined) {
    return [];
  }
  const about = {
    messageId: textOf(event, "message", "headers", "message-id"),
    address: textOf(event, "recipient"),
    at: timeOf(memberOf(event, "timestamp")),
  };
  const detail = textOf(event, "delivery-status", "message") ?? textOf(event, "delivery-status", "description") ?? textOf(event, "reason");
  return [receiptOf(kind, { ...about, detail })];
}

function kindOf(event: unknown): Receipt["kind"] | undefined {
  switch (textOf(event, "event")) {
    case "delivered":
      return "delivered";
    case "complained":
      return "complaint";
    case "failed":
      return textOf(event, "severity") === "temporary" ? "deferred" : failureOf(event);
    default:
      return undefined;
  }
}

/** Mailgun gives up for other reasons than the address, too, such as the sender's reputation. */
function failureOf(event: unknown): Receipt["kind"] {
  return ["bounce", "suppress-bounce"].includes(textOf(event, "reason") ?? "") ? "hard_bounce" : "soft_bounce";
}
