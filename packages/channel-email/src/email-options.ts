import type { DeliveryTask } from "@belfry/core";
import type { EgressOptions } from "@belfry/egress";
import type { MailTransport } from "./mail-sender.ts";
import type { Mailbox } from "./mailbox.ts";

/** The parts of a mail; those not given stay as the sender wrote them. */
export interface EmailContent {
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
}

/**
 * Parts with `{{name}}` in them: `subject`, `content`, `recipient`, `room_id`, or anything of the sender's `meta`, with dots
 * into objects. Values are escaped in `html`, and in `href` and `src` have to be http, https or mailto links. What names nothing
 * stays as it is; there is no logic. Put no values into script or style.
 */
export type EmailTemplate = EmailContent;

/** Templates by name, as `meta.template` and `meta.fallback_template` name them, or a function that writes each mail. */
export type EmailTemplates =
  | Readonly<Record<string, EmailTemplate>>
  | ((task: DeliveryTask) => EmailContent | null | Promise<EmailContent | null>);

/** How e-mail is sent. */
export interface EmailOptions {
  /** What carries the mail. Neither this nor `provider`: the channel is not configured. */
  readonly transport?: MailTransport | undefined;
  /** What carries a tenant's mail, in the order in which to try; null when the tenant has nothing. Instead of `transport`. */
  readonly provider?: ((tenant: string) => MailTransport | readonly MailTransport[] | null) | undefined;
  /** Tried in turn when the transport before it fails for the time being. @default none */
  readonly fallbackTransports?: readonly MailTransport[];
  /** `shop@example.com`, `The Shop <shop@example.com>`, or `{ name, address }`; its domain is also that of `Message-ID`. */
  readonly from: string | Mailbox | ((tenant: string) => string | Mailbox);
  /** Where answers go. @default to `from` */
  readonly replyTo?: string | Mailbox;
  readonly templates?: EmailTemplates;
  /**
   * Lets attachments be fetched from loopback and private networks, and over plain http.
   * @default false
   */
  readonly allowPrivateAttachments?: boolean;
  /** For SMTP URLs: sends nothing, credentials included, to a server that offers no TLS. @default false */
  readonly requireTLS?: boolean;
  /** How long an attempt may take, in milliseconds: attachments, and all transports together. @default 30,000 */
  readonly timeoutMs?: number;
  /** What senders call the channel. @default "email" */
  readonly name?: string;
  /** The delays before the second, third, … attempt. @default 1 m, 5 m, 30 m, 2 h, 6 h */
  readonly retryDelaysMs?: readonly number[];
  /** How the names in attachments' URLs are resolved and connections opened. @default the system's resolver, and sockets */
  readonly egress?: Omit<EgressOptions, "allowPrivate">;
}
