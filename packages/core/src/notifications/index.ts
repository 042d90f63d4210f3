export {
  type ChannelContents,
  type ContentMember,
  type ContentSource,
  membersOf,
  renderContents,
  type TaskContents,
  type TypeContent,
} from "./channel-contents.ts";
export type {
  Address,
  CreateFields,
  CreateInput,
  CreateInputWithData,
  CreateInputWithOptionalData,
  FallbackInput,
  Recipient,
  UntypedCreateInput,
} from "./create-input.ts";
export {
  type CreationEvents,
  DEFAULT_TYPE,
  NOTIFICATION_DEFAULTS,
  type Notification,
  type NotificationAction,
  type NotificationCreated,
  type NotificationKind,
} from "./notification.ts";

export {
  type Categories,
  type CategoryDeclaration,
  categoryLabel,
  type DataByType,
  type DataOf,
  type DataOrNone,
  type DeclaredTypes,
  defineTypes,
  type JsonForm,
  type Label,
  type MadeOf,
  type NotificationType,
  type NotificationTypes,
  requireCategories,
  requireTypes,
  type StoredBy,
  type TypeDeclaration,
  type Typed,
  type TypeNames,
  type TypesMaking,
  type TypesTaking,
  typeLabel,
} from "./notification-types.ts";
export { declaredType, linkIssues, parseData, parseFields, type SharedFields } from "./parse-data.ts";
export { compareBytewise, MAX_AT_ONCE, MAX_RECIPIENTS, type ParsedRecipients, parseExcept, parseRecipients } from "./recipients.ts";
export {
  groupOfType,
  isLocale,
  localeIssue,
  RENDERED,
  type RenderedTexts,
  type RenderSource,
  renderAgain,
  renderMember,
  rendersTexts,
  renderTexts,
  type StoredTexts,
  type Texts,
  type TypeGrouping,
  type TypeText,
  type TypeTexts,
} from "./rendering.ts";
export { TOPIC_SEPARATOR, topicIssue, topicsAbove } from "./topic.ts";
export {
  type ChannelDeclaration,
  type ConditionSource,
  channelsOfType,
  hasContents,
  INBOX_CHANNEL,
  isRequired,
  rulesOfType,
  type TypeChannels,
  type TypeReach,
  type TypeThrottle,
} from "./type-channels.ts";
export {
  DEFAULT_MAX_ITEMS,
  type DigestContent,
  type DigestContents,
  type DigestEntry,
  type DigestSource,
  type TypeDigest,
} from "./type-digest.ts";
