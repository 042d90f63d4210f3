import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { BelfryError, type Clock, type Receipt } from "@belfry/core";
import type { Provider } from "./provider.ts";
import { memberOf, receiptOf, textOf, timeOf } from "./read-event.ts";
import { isRecent, parsed, requireGenuine } from "./verify.ts";

/** How events of SendGrid are verified. */
export interface SendgridReceipts {
  /** The verification key of the signed event webhook, as SendGrid shows it: base64. */
  readonly publicKey: string;
}

/** Events of SendGrid: lists, signed with ECDSA. */
export function sendgrid({ publicKey }: SendgridReceipts, clock: Pick<Clock, "now">): Provider {
  const key = keyOf(publicKey);
  return {
    name: "sendgrid",
    read({ headers, bytes }) {
      const timestamp = headers["x-twilio-email-event-webhook-timestamp"] ?? "";
      const signature = Buffer.from(headers["x-twilio-email-event-webhook-signature"] ?? "", "base64");
      const signed = Buffer.concat([Buffer.from(timestamp), bytes]);
      requireGenuine(isRecent(timeOf(Number(timestamp)), clock.now()) && verify("sha256", signed, key, signature));
      const events = parsed(bytes);
      return { receipts: (Array.isArray(events) ? events : [events]).flatMap(receiptsOf) };
    },
  };
}

function keyOf(publicKey: string): KeyObject {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, "base64"), format: "der", type: "spki" });
    if (key.asymmetricKeyType === "ec") {
      return key;
    }
  } catch {
    // What was wrong with it says nothing more to a host than the remedy does.
  }
  throw new BelfryError("CONFIGURATION", "mailReceipts: sendgrid.publicKey is not the verification key that SendGrid shows");
}

const KINDS: Readonly<Record<string, Receipt["kind"]>> = {
  delivered: "delivered",
  deferred: "deferred",
  bounce: "hard_bounce",
  blocked: "soft_bounce",
  dropped: "soft_bounce",
  spamreport: "complaint",
};

function receiptsOf(event: unknown): readonly Receipt[] {
  const kind = kindOf(event);
  if (kind === undefined) {
    return [];
  }
  const about = { messageId: textOf(event, "smtp-id"), address: textOf(event, "email"), at: timeOf(memberOf(event, "timestamp")) };
  return [receiptOf(kind, { ...about, detail: textOf(event, "reason") ?? textOf(event, "response") })];
}

function kindOf(event: unknown): Receipt["kind"] | undefined {
  const name = textOf(event, "event") ?? "";
  if (name === "bounce" && textOf(event, "type") === "blocked") {
    return "soft_bounce";
  }
  // SendGrid drops what goes to an address on a list of its own.
  if (name === "dropped" && /^(?:bounced|invalid)/i.test(textOf(event, "reason") ?? "")) {
    return "hard_bounce";
  }
  return Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
}
