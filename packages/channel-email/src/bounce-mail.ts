import { BelfryError, type Receipt, type Receipts, type RecordedReceipt, requireOptions } from "@belfry/core";
import { bounceAddresses, bouncedDelivery, type EmailBounces } from "./bounce-address.ts";
import { oneLine } from "./smtp-failure.ts";

/** What {@link recordBounceMail} needs to know a mail of a mail server from a forged one, and where it records. */
export interface BounceMailOptions {
  /** `notifications.receipts`, or `notifications.receiptsOfAll` where tenants share the address. */
  readonly receipts: Pick<Receipts, "record">;
  /** As the channel has it. */
  readonly bounces: EmailBounces;
  /** The address that the mail came to, where the mail server passes it on beside the mail. @default as the mail's headers say */
  readonly recipient?: string;
}

/** How much of a mail is read: the report stands before the mail that came back. */
const MAX_BYTES = 1024 * 1024;
/** A report about a mail of this channel is about one recipient. */
const MAX_RECIPIENTS = 10;
const TO_HEADERS = ["delivered-to", "x-original-to", "envelope-to", "to"];

/**
 * Records a mail that came back: a delivery status notification (RFC 3464), as a mail server hands it to a program (`| node bounce.js`). Only
 * what came to an address that the channel made for the delivery and its recipient counts; anybody can write such a mail.
 *
 * @param mail the whole mail as it came, of which 1 MiB is read
 * @returns what became of each report; empty for a mail that is none, or that nobody can have got from Belfry
 * @throws BelfryError `CONFIGURATION`, at the call; it rejects with `STORAGE_UNAVAILABLE`, `STORAGE_FAILED`: hand the mail over again
 * @example
 * ```ts
 * await recordBounceMail(process.stdin, { receipts: notifications.receipts, bounces });
 * ```
 */
export function recordBounceMail(
  mail: Uint8Array | AsyncIterable<Uint8Array>,
  options: BounceMailOptions,
): Promise<readonly RecordedReceipt[]> {
  requireOptions("recordBounceMail", options, { receipts: true, bounces: true, recipient: true } satisfies Record<
    keyof BounceMailOptions,
    true
  >);
  const { receipts, bounces, recipient = "" } = options;
  bounceAddresses(bounces);
  if (typeof receipts?.record !== "function" || typeof recipient !== "string") {
    throw new BelfryError("CONFIGURATION", "recordBounceMail: receipts is not that of a service, or recipient is no text");
  }
  const isMail = mail instanceof Uint8Array || (typeof mail === "object" && mail !== null && Symbol.asyncIterator in mail);
  if (!isMail) {
    throw new BelfryError("CONFIGURATION", "recordBounceMail: the mail is neither bytes nor a stream of bytes");
  }
  return record(mail, options);
}

async function record(
  mail: Uint8Array | AsyncIterable<Uint8Array>,
  { receipts, bounces, recipient }: BounceMailOptions,
): Promise<readonly RecordedReceipt[]> {
  const { default: PostalMime } = await import("postal-mime");
  const { headers, attachments } = await PostalMime.parse(await beginningOf(mail));
  const report = attachments.find(({ mimeType }) => mimeType === "message/delivery-status");
  if (report === undefined) {
    return [];
  }
  const text = typeof report.content === "string" ? report.content : new TextDecoder().decode(report.content);
  const cameTo = recipient === undefined ? headers.filter(({ key }) => TO_HEADERS.includes(key)).map(({ value }) => value) : [recipient];
  const recorded: RecordedReceipt[] = [];
  for (const receipt of receiptsOf(text, { cameTo, bounces })) {
    recorded.push(await receipts.record(receipt));
  }
  return recorded;
}

async function beginningOf(mail: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (mail instanceof Uint8Array) {
    return mail.subarray(0, MAX_BYTES);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of mail) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= MAX_BYTES) {
      break;
    }
  }
  return Buffer.concat(chunks).subarray(0, MAX_BYTES);
}

/** The fields of one recipient, by name in lower case. */
type Fields = ReadonlyMap<string, string>;

function receiptsOf(report: string, from: { readonly cameTo: readonly string[]; readonly bounces: EmailBounces }): readonly Receipt[] {
  // The first group is about the mail, each other about a recipient.
  const [, ...groups] = report.replaceAll("\r\n", "\n").split(/\n{2,}/);
  return groups.slice(0, MAX_RECIPIENTS).flatMap((group) => {
    const fields = fieldsOf(group);
    const kind = kindOf(fields);
    const recipients = ["original-recipient", "final-recipient"].flatMap((name) => addressIn(fields.get(name)) ?? []);
    // Of the two, it is the one that was signed for: a mail may have been forwarded to the other.
    const [found] = from.cameTo.flatMap((cameTo) => recipients.flatMap((address) => signedFor(cameTo, address, from.bounces)));
    const detail = oneLine(fields.get("diagnostic-code") ?? fields.get("status") ?? "");
    return found === undefined || kind === null ? [] : [{ kind, ...found, provider: "bounce mail", ...(detail !== "" && { detail }) }];
  });
}

function signedFor(cameTo: string, address: string, bounces: EmailBounces): readonly Pick<Required<Receipt>, "messageId" | "address">[] {
  const messageId = bouncedDelivery(cameTo, address, bounces);
  return messageId === null ? [] : [{ messageId, address }];
}

function fieldsOf(group: string): Fields {
  const lines = group.replaceAll(/\n[ \t]+/g, " ").split("\n");
  return new Map(
    lines.flatMap((line) => {
      const colon = line.indexOf(":");
      return colon < 1 ? [] : [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const];
    }),
  );
}

/** The address in `rfc822; ann@example.com`. */
function addressIn(field: string | undefined): string | null {
  const [, address = ""] = /^[\w-]+\s*;\s*<?([^<>\s]{1,320})>?$/.exec(field ?? "") ?? [];
  return address === "" ? null : address;
}

/** Codes of RFC 3463 that say that there is no such mailbox. Others are about the mail, or will pass. */
const NO_MAILBOX = /^5\.(?:0\.0|1\.\d{1,3}|2\.1)\b/;

function kindOf(fields: Fields): Receipt["kind"] | null {
  switch (fields.get("action")?.toLowerCase().split(/[\s(]/)[0]) {
    case "failed":
      return NO_MAILBOX.test(fields.get("status") ?? "") ? "hard_bounce" : "soft_bounce";
    case "delayed":
      return "deferred";
    case "delivered":
      return "delivered";
    default:
      return null;
  }
}
