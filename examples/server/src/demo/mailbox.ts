import type { Channel } from "@belfry/core";

/** A mail that the demo would have sent. */
export interface KeptMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly sentAt: Date;
}

const MAX_MAILS = 20;

/** The e-mail channel of a demo without a mail server: it keeps the newest mails for the page. */
export interface Mailbox extends Channel {
  /** Newest first. */
  readonly mails: readonly KeptMail[];
}

/** Makes a mailbox. */
export function mailbox(): Mailbox {
  const mails: KeptMail[] = [];
  return {
    name: "email",
    contents: ["subject", "text", "html"],
    retryDelaysMs: [1_000],
    timeoutMs: 5_000,
    takes: "e-mail addresses",
    mails,
    invalidRecipient: (recipient) => (recipient.includes("@") ? null : "is no e-mail address"),
    async deliver({ address, title, message, contents }) {
      mails.unshift({ to: address, subject: contents?.subject ?? title, text: contents?.text ?? message, sentAt: new Date() });
      mails.splice(MAX_MAILS);
      return { status: "delivered", provider: "demo" };
    },
  };
}
