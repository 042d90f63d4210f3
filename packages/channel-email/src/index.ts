export type { EmailBounces } from "./bounce-address.ts";
export { type BounceMailOptions, recordBounceMail } from "./bounce-mail.ts";
export { email } from "./email.ts";
export type { EmailContent, EmailOptions, EmailTemplate, EmailTemplates, TenantTransports } from "./email-options.ts";
export type { MailSender, MailSignature, MailTransport, OutgoingMail, SentMail } from "./mail-sender.ts";
export type { Mailbox } from "./mailbox.ts";
