export type { PrivacyContext } from "./context.ts";
export { deleteNotification } from "./delete-notification.ts";
export { type ItemRetention, Retention, type RetentionOptions, type SweepResult } from "./retention.ts";
