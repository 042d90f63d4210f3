import type { DeliveryTask } from "@belfry/core";
import type { EgressOptions } from "@belfry/egress";
import type { EmailBounces } from "./bounce-address.ts";
import type { MailSignature, MailTransport } from "./mail-sender.ts";
import type { Mailbox } from "./mailbox.ts";

/** The parts of a mail; missing ones stay as the sender wrote them. */
export interface EmailContent {
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
}

/**
 * Parts with placeholders `{{name}}`. A name is `title`, `message`, `recipient`, `room_id`, or any member of the
 * notification's `data`, with dots into objects. Values are escaped in `html`; in `href` and `src` they must be http, https or mailto
 * links. A placeholder without a value stays as it is. There is no logic. Put no values into script or style.
 */
export type EmailTemplate = EmailContent;

/** Templates by name, as `data.template` and `data.fallback_template` name them, or a function that writes each mail. */
export type EmailTemplates =
  | Readonly<Record<string, EmailTemplate>>
  | ((task: DeliveryTask) => EmailContent | null | Promise<EmailContent | null>);

/** The transports of a tenant, in the order in which to try them; null for none. */
export type TenantTransports = MailTransport | readonly MailTransport[] | null;

/** The options of {@link email}. */
export interface EmailOptions {
  /** Sends the mail. Without this and without `provider`, the channel is not configured. */
  readonly transport?: MailTransport | undefined;
  /**
   * Gives a tenant's transports, in the order in which to try them; null if the tenant has none. Use it instead of `transport`. What a promise
   * of it brings is kept for a minute; the wait for it counts as the attempt's.
   */
  readonly provider?: ((tenant: string) => TenantTransports | Promise<TenantTransports>) | undefined;
  /** Tried in turn if the transport before them has a transient failure. @default none */
  readonly fallbackTransports?: readonly MailTransport[];
  /** `shop@example.com`, `The Shop <shop@example.com>`, or `{ name, address }`; its domain is also that of `Message-ID`. */
  readonly from: string | Mailbox | ((tenant: string) => string | Mailbox);
  /** The address for answers. @default that of `from` */
  readonly replyTo?: string | Mailbox;
  readonly templates?: EmailTemplates;
  /**
   * Allows attachments from loopback and private networks, and over plain http.
   * @default false
   */
  readonly allowPrivateAttachments?: boolean;
  /** For SMTP URLs: sends nothing, not even credentials, to a server that offers no TLS. @default false */
  readonly requireTLS?: boolean;
  /** How long an attempt may take, attachments and all transports together, in milliseconds. @default 30,000 */
  readonly timeoutMs?: number;
  /**
   * The status of a delivery that the server has accepted (250 after DATA): `sent`, or `delivered` for hosts that take the
   * server's word for it. @default "sent"
   */
  readonly acceptedIs?: "sent" | "delivered";
  /** The channel's name. @default "email" */
  readonly name?: string;
  /**
   * Where mails come back to that cannot be delivered: each is sent from an address of its own, and servers that can do so are asked to report.
   * `recordBounceMail` reads what comes. @default they come back to `from`
   */
  readonly bounces?: EmailBounces;
  /** How each mail is signed (DKIM). @default not by this channel */
  readonly dkim?: MailSignature;
  /** A header that has the `Message-ID` once more, for a provider whose reports lack it: `X-PM-Metadata-belfry-message-id` for Postmark. @default none */
  readonly messageIdHeader?: string;
  /** The delays before the second, third, … attempt, in milliseconds. @default 1 m, 5 m, 30 m, 2 h, 6 h */
  readonly retryDelaysMs?: readonly number[];
  /** How attachments are fetched: the resolver of names and the opener of connections. @default the system's resolver, and sockets */
  readonly egress?: Omit<EgressOptions, "allowPrivate">;
}

/** Every option by name. */
export const EMAIL_OPTIONS: Readonly<Record<keyof EmailOptions, true>> = {
  transport: true,
  provider: true,
  fallbackTransports: true,
  from: true,
  replyTo: true,
  templates: true,
  allowPrivateAttachments: true,
  requireTLS: true,
  timeoutMs: true,
  acceptedIs: true,
  name: true,
  bounces: true,
  dkim: true,
  messageIdHeader: true,
  retryDelaysMs: true,
  egress: true,
};

/** Every option of `egress` by name. */
export const EMAIL_EGRESS: Readonly<Record<keyof NonNullable<EmailOptions["egress"]>, true>> = { ca: true, resolve: true, connect: true };
