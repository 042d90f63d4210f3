export { invalidWebhookHeaders } from "./invalid-webhook-headers.ts";
export { type ReceivedWebhook, verifyWebhook } from "./verify-webhook.ts";
export { webhook } from "./webhook.ts";
export type { WebhookOptions, WebhookSecret } from "./webhook-options.ts";
