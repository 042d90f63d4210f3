export { type MailReceiptsOptions, mailReceipts } from "./mail-receipts.ts";
export type { MailgunReceipts } from "./mailgun.ts";
export type { PostmarkReceipts } from "./postmark.ts";
export type { SendgridReceipts } from "./sendgrid.ts";
export type { SesReceipts } from "./ses.ts";
