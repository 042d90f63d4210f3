export type { CreateFields, CreateInput, CreateInputWithData, CreateInputWithOptionalData, UntypedCreateInput } from "./create-input.ts";
export type { CreationEvents, NotificationCreated } from "./events.ts";
export { DEFAULT_TYPE, NOTIFICATION_DEFAULTS, type Notification, type NotificationKind } from "./notification.ts";
export {
  type DataByType,
  type DataOf,
  type DataOrNone,
  defineTypes,
  type NotificationType,
  type NotificationTypes,
  type TypesTaking,
  typeLabel,
} from "./notification-types.ts";
export { declaredType, parseData } from "./parse-data.ts";
export { parseFields } from "./parse-fields.ts";
export { compareBytewise, parseRecipients } from "./recipients.ts";
