export type { PrivacyContext } from "./context.ts";
export { deleteNotification } from "./delete-notification.ts";
export { type DeletedUser, deleteUser, namedUser, type UserNames } from "./delete-user.ts";
export { exportUser } from "./export-user.ts";
export { type ItemRetention, Retention, type RetentionOptions, type SweepResult } from "./retention.ts";
