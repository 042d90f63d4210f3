export type { CreateFields, CreateInput, CreateInputWithData, CreateInputWithOptionalData, UntypedCreateInput } from "./create-input.ts";
export {
  type CreationEvents,
  DEFAULT_TYPE,
  NOTIFICATION_DEFAULTS,
  type Notification,
  type NotificationCreated,
  type NotificationKind,
} from "./notification.ts";

export {
  type DataByType,
  type DataOf,
  type DataOrNone,
  defineTypes,
  type NotificationType,
  type NotificationTypes,
  requireTypes,
  type TypesTaking,
  typeLabel,
} from "./notification-types.ts";
export { declaredType, linkIssues, parseData, parseFields, type SharedFields } from "./parse-data.ts";

export { compareBytewise, type ParsedRecipients, parseRecipients } from "./recipients.ts";
