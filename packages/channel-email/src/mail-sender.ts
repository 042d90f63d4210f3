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
  /** What a server that can do so reports to the envelope's sender: that it gave the mail back, or still tries. @default nothing is asked */
  readonly dsn?: { readonly id: string; readonly return: "headers"; readonly notify: string[]; readonly recipient?: string };
  /** How nodemailer signs the mail. @default not at all */
  readonly dkim?: MailSignature;
  readonly attachments: { readonly filename: string; readonly content: Buffer }[];
  readonly disableFileAccess: true;
  readonly disableUrlAccess: true;
  /** Aborts when the attempt has run out of time. */
  readonly signal: AbortSignal;
}

/** How mails are signed (DKIM, RFC 6376), as nodemailer takes it. */
export interface MailSignature {
  /** The domain that signs. */
  readonly domainName: string;
  /** Names the key: its record is at `<selector>._domainkey.<domain>`. */
  readonly keySelector: string;
  /** An RSA key as PEM. */
  readonly privateKey: string;
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
