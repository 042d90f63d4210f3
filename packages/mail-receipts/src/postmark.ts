import type { Receipt } from "@belfry/core";
import type { Provider } from "./provider.ts";
import { memberOf, receiptOf, textOf, timeOf } from "./read-event.ts";
import { isSame, parsed, requireGenuine } from "./verify.ts";

/** How webhooks of Postmark are verified: by the user and the password in their URL. */
export interface PostmarkReceipts {
  readonly user: string;
  readonly password: string;
}

/**
 * The name under which the channel tells Postmark the `Message-ID`: its events have no other one than Postmark's own. It stood in the name of a
 * header, of which mail programs change the case.
 */
const METADATA = "belfry-message-id";

/** Webhooks of Postmark: one event each, with HTTP's basic authentication. */
export function postmark({ user, password }: PostmarkReceipts): Provider {
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  return {
    name: "postmark",
    read({ headers, bytes }) {
      requireGenuine(isSame(headers.authorization ?? "", expected));
      return { receipts: receiptsOf(parsed(bytes)) };
    },
  };
}

/** Types of bounces. Others are notes, such as those of absence. */
const BOUNCES: Readonly<Record<string, Receipt["kind"]>> = {
  HardBounce: "hard_bounce",
  BadEmailAddress: "hard_bounce",
  SoftBounce: "soft_bounce",
  DnsError: "soft_bounce",
  Blocked: "soft_bounce",
  SpamNotification: "soft_bounce",
  VirusNotification: "soft_bounce",
  DMARCPolicy: "soft_bounce",
  Transient: "deferred",
  SpamComplaint: "complaint",
};

function receiptsOf(event: unknown): readonly Receipt[] {
  const messageId = messageIdOf(event);
  const type = textOf(event, "RecordType");
  if (type === "Delivery") {
    const at = timeOf(memberOf(event, "DeliveredAt"));
    return [receiptOf("delivered", { messageId, address: textOf(event, "Recipient"), detail: textOf(event, "Details"), at })];
  }
  const bounce = textOf(event, "Type") ?? "";
  const kind = type === "SpamComplaint" ? "complaint" : type === "Bounce" && Object.hasOwn(BOUNCES, bounce) ? BOUNCES[bounce] : undefined;
  const detail = textOf(event, "Details") ?? textOf(event, "Description");
  const about = { messageId, address: textOf(event, "Email"), at: timeOf(memberOf(event, "BouncedAt")) };
  return kind === undefined ? [] : [receiptOf(kind, { ...about, detail })];
}

function messageIdOf(event: unknown): string | undefined {
  const name = Object.keys(memberOf(event, "Metadata") ?? {}).find((one) => one.toLowerCase() === METADATA);
  return name === undefined ? undefined : textOf(event, "Metadata", name);
}
