import type { Mailbox } from "./mailbox.ts";

/** One mail for a transport. It contains no path and no URL: everything to send is in memory. */
export interface OutgoingMail {
  readonly from: Mailbox;
  readonly to: Mailbox;
  readonly replyTo?: Mailbox;
  /** The sender and the recipient for the mail server, whatever the headers say. */
  readonly envelope: { readonly from: string; readonly to: string[] };
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  /** In angle brackets; the same at every attempt. */
  readonly messageId: string;
  readonly headers: { readonly [name: string]: string };
  readonly attachments: { readonly filename: string; readonly content: Buffer }[];
  readonly disableFileAccess: true;
  readonly disableUrlAccess: true;
  /** Aborts when the attempt has run out of time. */
  readonly signal: AbortSignal;
}

/** A transport's answer about a mail it has taken. */
export interface SentMail {
  /** The server's last words, for example `250 2.0.0 OK`. */
  readonly response?: string | undefined;
  readonly envelope?: { readonly to?: string | readonly string[] | undefined } | undefined;
}

/**
 * Sends a mail: a nodemailer transport, or any object with this one method, for example over a provider's HTTP API. An
 * error with a `responseCode` of 500 to 599 refuses the mail for good; every other error is transient.
 */
export interface MailSender {
  sendMail(mail: OutgoingMail): Promise<SentMail>;
}

/** An SMTP URL, `smtp://user:password@host:587` or `smtps://…`, or a transport. */
export type MailTransport = string | MailSender;
