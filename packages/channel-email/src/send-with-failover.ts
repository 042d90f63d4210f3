import type { DeliveryFailure, DeliveryOutcome } from "@belfry/core";
import MailComposer from "nodemailer/lib/mail-composer";
import type { MailSender, OutgoingMail, SentMail } from "./mail-sender.ts";
import { isAscii } from "./parse-address.ts";
import type { RestingSenders } from "./resting-senders.ts";
import { emailFailure, failureOf, oneLine } from "./smtp-failure.ts";

/** A mail without the signal: each transport gets a signal of its own. */
export type Mail = Omit<OutgoingMail, "signal">;

/** The time an attempt has left, and which senders had better be tried last. */
export interface Budget {
  readonly resting: RestingSenders;
  /** In milliseconds of `performance.now()`. */
  readonly endsAt: number;
  readonly signal: AbortSignal;
}

/** Sends `mail` by the first of `senders` that takes it. It stops at a permanent refusal, which the others would only repeat. */
export async function sendWithFailover(mail: Mail, senders: readonly MailSender[], budget: Budget): Promise<DeliveryOutcome> {
  if (!namesOnly(mail.envelope.to, composedRecipients(mail))) {
    return emailFailure("the mail would have named other recipients than the intended one", false);
  }
  let failed: DeliveryFailure = emailFailure("no e-mail transport is configured", false);
  for (const [index, sender] of budget.resting.ordered(senders).entries()) {
    // Each transport gets a share of the time left, so that a server that never answers leaves time for the next one.
    const shareMs = Math.max(1, Math.floor((budget.endsAt - performance.now()) / (senders.length - index)));
    const signal = AbortSignal.any([budget.signal, AbortSignal.timeout(shareMs)]);
    const outcome = await sendOnce(mail, sender, signal);
    budget.resting.ended(sender, isAway(outcome));
    if (outcome.status !== "failed") {
      const place = senders.indexOf(sender);
      return place === 0 ? outcome : { ...outcome, note: `sent by fallback transport ${place}` };
    }
    failed = outcome;
    if (!outcome.transient || budget.signal.aborted) {
      break;
    }
  }
  return failed;
}

/** Whether an attempt failed because of the server, and not of the mail or its recipient: no answer, or 421. */
function isAway(outcome: DeliveryOutcome): boolean {
  return outcome.status === "failed" && outcome.transient && (outcome.response === undefined || outcome.response.startsWith("421"));
}

async function sendOnce(mail: Mail, sender: MailSender, signal: AbortSignal): Promise<DeliveryOutcome> {
  try {
    const sent = await unlessAborted(signal, sender.sendMail({ ...mail, signal }));
    const named = recipientsOf(sent);
    if (named && !namesOnly(mail.envelope.to, named)) {
      return emailFailure("the transport named other recipients than the intended one", false);
    }
    const response = sent.response === undefined ? {} : { response: oneLine(sent.response) };
    return { status: "sent", provider: "smtp", messageId: mail.messageId, ...response };
  } catch (error) {
    return explained(failureOf(error), mail);
  }
}

/** Says why a server that knows only ASCII refuses an address with other letters: there may be somebody all the same. */
function explained(failure: DeliveryFailure, { envelope }: Mail): DeliveryFailure {
  const isPlain = isAscii(`${envelope.from}${envelope.to.join("")}`);
  const reason = "it may not take addresses with letters beside ASCII (SMTPUTF8)";
  if (isPlain || failure.transient) {
    return failure;
  }
  const { isHardBounce: _, ...rest } = failure;
  return { ...rest, error: `${failure.error}; ${reason}` };
}

/** Rejects on abort, without waiting for a transport, or a function of the host, that ignores signals. */
export function unlessAborted<Result>(signal: AbortSignal, sending: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(Object.assign(new Error("aborted"), { code: "EABORT" }));
    signal.addEventListener("abort", onAbort, { once: true });
    sending.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
    if (signal.aborted) {
      onAbort();
    }
  });
}

/** The recipients that nodemailer would read from the headers it writes. */
function composedRecipients({ from, to, replyTo }: Mail): readonly string[] {
  return new MailComposer({ from, to, ...(replyTo && { replyTo }) }).compile().getEnvelope().to;
}

function recipientsOf({ envelope }: SentMail): readonly string[] | null {
  const to = envelope?.to;
  return to === undefined ? null : typeof to === "string" ? [to] : to;
}

function namesOnly(intended: readonly string[], named: readonly string[]): boolean {
  return named.length === intended.length && named.every((address, index) => address === intended[index]);
}
