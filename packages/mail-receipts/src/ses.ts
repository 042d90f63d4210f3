import { BelfryError, type Clock, type Receipt } from "@belfry/core";
import type { Egress } from "@belfry/egress";
import type { Provider } from "./provider.ts";
import { listOf, memberOf, receiptOf, textOf, timeOf } from "./read-event.ts";
import { isRecent, parsed, requireGenuine } from "./verify.ts";
import { SnsVerifier, snsUrl, unavailable } from "./verify-sns.ts";

/** Where events of Amazon SES come from. */
export interface SesReceipts {
  /** The topics that may report: anybody can have Amazon sign messages of a topic of their own. */
  readonly topicArns: readonly string[];
}

/**
 * Events of Amazon SES by a topic of its notification service, which signs each. It confirms subscriptions of the topics that are named. The events need the
 * mail's original headers: a configuration set sends them, feedback notifications where they are set to.
 */
export function ses(
  { topicArns }: SesReceipts,
  { clock, egress }: { readonly clock: Pick<Clock, "now">; readonly egress: Egress },
): Provider {
  if (!Array.isArray(topicArns) || topicArns.length === 0 || !topicArns.every((arn) => typeof arn === "string" && arn.startsWith("arn:"))) {
    throw new BelfryError("CONFIGURATION", "mailReceipts: ses.topicArns is not a list of one ARN of a topic at least");
  }
  const verifier = new SnsVerifier(egress);
  return {
    name: "ses",
    async read({ bytes }) {
      const message = parsed(bytes);
      const isExpected =
        topicArns.includes(textOf(message, "TopicArn") ?? "") && isRecent(timeOf(textOf(message, "Timestamp")), clock.now());
      requireGenuine(isExpected && (await verifier.isSigned(message)));
      if (textOf(message, "Type") === "SubscriptionConfirmation") {
        await confirm(egress, textOf(message, "SubscribeURL"));
      }
      const isEvent = textOf(message, "Type") === "Notification";
      return { receipts: isEvent ? receiptsOf(parsed(Buffer.from(textOf(message, "Message") ?? "{}"))) : [] };
    },
  };
}

async function confirm(egress: Egress, given: string | undefined): Promise<void> {
  const url = snsUrl(given);
  requireGenuine(url !== null);
  const answer = await egress.send(url?.href ?? "", { method: "GET" });
  if (!answer.ok || answer.status !== 200) {
    throw unavailable("the subscription to a topic could not be confirmed");
  }
}

/** What an event says of each of its recipients. */
interface Said {
  readonly kind: Receipt["kind"];
  /** The member that has the details, and the one in it that lists the recipients. */
  readonly at: string;
  readonly recipients: string;
}

const EVENTS: Readonly<Record<string, Said>> = {
  Delivery: { kind: "delivered", at: "delivery", recipients: "recipients" },
  Bounce: { kind: "soft_bounce", at: "bounce", recipients: "bouncedRecipients" },
  Complaint: { kind: "complaint", at: "complaint", recipients: "complainedRecipients" },
  DeliveryDelay: { kind: "deferred", at: "deliveryDelay", recipients: "delayedRecipients" },
};

function receiptsOf(event: unknown): readonly Receipt[] {
  const name = textOf(event, "eventType") ?? textOf(event, "notificationType") ?? "";
  const said = Object.hasOwn(EVENTS, name) ? EVENTS[name] : undefined;
  if (said === undefined) {
    return [];
  }
  const details = memberOf(event, said.at);
  const kind = textOf(details, "bounceType") === "Permanent" ? "hard_bounce" : said.kind;
  const about = { messageId: messageIdOf(event), at: timeOf(memberOf(details, "timestamp")) };
  return listOf(details, said.recipients).map((recipient) => {
    const address = typeof recipient === "string" ? recipient : textOf(recipient, "emailAddress");
    const detail = textOf(recipient, "diagnosticCode") ?? textOf(details, "complaintFeedbackType") ?? textOf(details, "bounceSubType");
    return receiptOf(kind, { ...about, address, detail });
  });
}

/** The `Message-ID` that the mail was handed over with: Amazon replaces it. */
function messageIdOf(event: unknown): string | undefined {
  const header = listOf(event, "mail", "headers").find((one) => textOf(one, "name")?.toLowerCase() === "message-id");
  return textOf(header, "value") ?? textOf(event, "mail", "commonHeaders", "messageId");
}
