import { BelfryError, type Channel, type DeliveryFailure, type DeliveryOutcome, type DeliveryTask, requireOptions } from "@belfry/core";
import { createEgress, type Egress, faultOfTimes } from "@belfry/egress";
import { type Attachment, attachmentRefs, fetchAttachments } from "./attachments.ts";
import { bounceAddresses } from "./bounce-address.ts";
import { type Composed, compose, lackOf } from "./compose.ts";
import { invalidEmailData, isEmptyMail } from "./email-data.ts";
import { EMAIL_EGRESS, EMAIL_OPTIONS, type EmailOptions } from "./email-options.ts";
import type { MailSender } from "./mail-sender.ts";
import { type Mailbox, parseMailbox } from "./mailbox.ts";
import { comparableAddress, isAscii, parseAddress } from "./parse-address.ts";
import { RestingSenders } from "./resting-senders.ts";
import { type Mail, sendWithFailover, unlessAborted } from "./send-with-failover.ts";
import { type Senders, sendersFor } from "./senders.ts";
import { checkSignature } from "./signature.ts";
import { emailFailure } from "./smtp-failure.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const RETRY_DELAYS_MS = [MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR];
const DEFAULT_TIMEOUT_MS = 30_000;
/** The channel ends an attempt itself and says why. The engine's limit is this much longer, in case that fails. */
const ENGINE_MARGIN_MS = 1_000;

/**
 * Makes the channel that sends mail. `sent`, or what `acceptedIs` says, means that the server took the mail (250 after DATA). A refusal of the mail
 * (5xx) fails for good. After 4xx, a broken connection or a time-out the next transport, if there is one, tries at once;
 * otherwise the delivery is retried later.
 *
 * @throws `CONFIGURATION` for a transport or an address that cannot be used.
 * @example
 * ```ts
 * const notifications = new NotificationService({
 *   storage,
 *   channels: [email({ transport: process.env.SMTP_URL, from: "The Shop <shop@example.com>" })],
 * });
 * ```
 */
export function email(options: EmailOptions): Channel {
  requireOptions("email", options, EMAIL_OPTIONS);
  requireOptions("email's egress", options.egress ?? {}, EMAIL_EGRESS);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const fault = faultOfTimes({ timeoutMs, retryDelaysMs: options.retryDelaysMs });
  if (fault !== null) {
    throw new BelfryError("CONFIGURATION", `email: ${fault}`);
  }
  const { acceptedIs = "sent" } = options;
  if (acceptedIs !== "sent" && acceptedIs !== "delivered") {
    throw new BelfryError("CONFIGURATION", 'email: acceptedIs is neither "sent" nor "delivered"');
  }
  const egress = createEgress({ ...options.egress, allowPrivate: options.allowPrivateAttachments ?? false });
  const senders = sendersFor(options);
  const from = senderAddress(options);
  const replyTo = options.replyTo === undefined ? null : parseMailbox("replyTo", options.replyTo);
  const marks = marksOf(options);
  const resting = new RestingSenders();
  return {
    name: options.name ?? "email",
    retryDelaysMs: options.retryDelaysMs ?? RETRY_DELAYS_MS,
    timeoutMs: timeoutMs + ENGINE_MARGIN_MS,
    contents: ["subject", "html", "text"],
    takes: "plain e-mail addresses, such as name@example.com",
    isConfigured: (tenant) => senders.mayHave(tenant),
    invalidRecipient(recipient) {
      const parsed = parseAddress(recipient);
      return "problem" in parsed ? parsed.problem : null;
    },
    comparableAddress,
    invalidData: (data) => invalidEmailData(data, egress),
    isEmpty: (notification) => typeof options.templates !== "function" && isEmptyMail(notification),
    async preview(task) {
      const composed = await compose(task, options.templates);
      return "problem" in composed ? composed : { subject: composed.subject, text: composed.text, html: composed.html ?? null };
    },
    async deliver(task, engineSignal): Promise<DeliveryOutcome> {
      const endsAt = performance.now() + timeoutMs;
      const signal = AbortSignal.any([engineSignal, AbortSignal.timeout(timeoutMs)]);
      const prepared = await prepare({ task, options, egress, signal });
      if ("status" in prepared) {
        return prepared;
      }
      const own = await sendersOf(senders, task.tenant, signal);
      if ("status" in own) {
        return own;
      }
      const mail = marks(mailOf({ ...prepared, task, from: from(task.tenant), replyTo }), task);
      const outcome = await sendWithFailover(mail, own, { endsAt, signal, resting });
      return withNote(outcome.status === "sent" ? { ...outcome, status: acceptedIs } : outcome, prepared.composed.note);
    },
  } satisfies Channel;
}

/** The senders of a tenant. What the host's function throws, or a promise of it that takes the attempt's time, fails the attempt. */
async function sendersOf(senders: Senders, tenant: string, signal: AbortSignal): Promise<readonly MailSender[] | DeliveryFailure> {
  const found = senders.of(tenant);
  if (!(found instanceof Promise)) {
    return found;
  }
  try {
    return await unlessAborted(signal, found);
  } catch {
    // The error's message may hold private details of the host.
    return emailFailure("the transports of this client could not be looked up", true);
  }
}

const HEADER_NAME = /^[A-Za-z][A-Za-z0-9-]{0,99}$/;

/** What the options add to each mail: its own sender for the mail server, a signature, and another header. */
function marksOf({ bounces, dkim, messageIdHeader }: EmailOptions): (mail: Mail, task: DeliveryTask) => Mail {
  if (messageIdHeader !== undefined && !(typeof messageIdHeader === "string" && HEADER_NAME.test(messageIdHeader))) {
    throw new BelfryError("CONFIGURATION", "email: messageIdHeader is no name of a header");
  }
  const signature = dkim === undefined ? {} : { dkim: checkSignature(dkim) };
  const bounceAddress = bounces === undefined ? undefined : bounceAddresses(bounces);
  return (mail, task) => {
    const headers = messageIdHeader === undefined ? mail.headers : { ...mail.headers, [messageIdHeader]: mail.messageId };
    const marked = { ...mail, ...signature, headers };
    if (bounceAddress === undefined) {
      return marked;
    }
    const { address } = mail.to;
    const dsn = { id: task.id, return: "headers", notify: ["failure", "delay"], ...(isAscii(address) && { recipient: address }) } as const;
    return { ...marked, envelope: { ...mail.envelope, from: bounceAddress(task.id, address) }, dsn: { ...dsn, notify: [...dsn.notify] } };
  };
}

/** Checks a fixed sender at once, and a tenant's sender at use. */
function senderAddress({ from }: EmailOptions) {
  if (typeof from === "function") {
    return (tenant: string) => parseMailbox("from", from(tenant));
  }
  const fixed = parseMailbox("from", from);
  return () => fixed;
}

interface Preparation {
  readonly task: DeliveryTask;
  readonly options: EmailOptions;
  readonly egress: Egress;
  readonly signal: AbortSignal;
}

interface Prepared {
  readonly address: string;
  readonly composed: Composed;
  readonly attachments: readonly Attachment[];
}

/** Does everything that can fail before a server is asked. It repeats the checks made at creation, because they guard this call. */
async function prepare({ task, options, egress, signal }: Preparation): Promise<Prepared | DeliveryOutcome> {
  const recipient = parseAddress(task.address);
  const problems = "problem" in recipient ? [`the address ${recipient.problem}`] : invalidEmailData(task.data, egress);
  if ("problem" in recipient || problems.length > 0) {
    return emailFailure(problems.join("; "), false);
  }
  if (!/^[\w.-]+$/.test(task.id)) {
    return emailFailure("the delivery's id cannot be part of a Message-ID", false);
  }
  const composed = await compose(task, options.templates);
  if ("problem" in composed) {
    return emailFailure(composed.problem, false);
  }
  const lack = lackOf(composed, task);
  if (lack !== null) {
    return emailFailure(lack, false);
  }
  const attachments = await fetchAttachments(attachmentRefs(task.data.attachments), egress, signal);
  return "error" in attachments
    ? emailFailure(attachments.error, attachments.transient)
    : { address: recipient.address, composed, attachments };
}

interface MailParts extends Prepared {
  readonly task: DeliveryTask;
  readonly from: Mailbox & { readonly domain: string };
  readonly replyTo: Mailbox | null;
}

function mailOf({ address, composed, attachments, task, from, replyTo }: MailParts): Mail {
  return {
    from: { name: from.name, address: from.address },
    to: { name: "", address },
    ...(replyTo && { replyTo: { name: replyTo.name, address: replyTo.address } }),
    envelope: { from: from.address, to: [address] },
    subject: composed.subject,
    text: composed.text,
    ...(composed.html !== undefined && { html: composed.html }),
    messageId: `<${task.id}@${from.domain}>`,
    // Vacation programs do not answer mail with this header.
    headers: { "Auto-Submitted": "auto-generated", ...unsubscribeHeaders(task) },
    attachments: [...attachments],
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** What lets mail programs offer to unsubscribe with one click (RFC 8058). */
function unsubscribeHeaders({ unsubscribeUrl }: DeliveryTask): Readonly<Record<string, string>> {
  return unsubscribeUrl === null
    ? {}
    : { "List-Unsubscribe": `<${unsubscribeUrl}>`, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" };
}

function withNote(outcome: DeliveryOutcome, note: string | undefined): DeliveryOutcome {
  if (outcome.status === "failed" || note === undefined) {
    return outcome;
  }
  return { ...outcome, note: outcome.note === undefined ? note : `${note}; ${outcome.note}` };
}
