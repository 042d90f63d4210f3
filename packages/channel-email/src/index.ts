export { email } from "./email.ts";
export type { EmailContent, EmailOptions, EmailTemplate, EmailTemplates } from "./email-options.ts";
export type { MailSender, MailTransport, OutgoingMail, SentMail } from "./mail-sender.ts";
export type { Mailbox } from "./mailbox.ts";
