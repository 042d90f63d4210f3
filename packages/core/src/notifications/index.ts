export {
  type ChannelContents,
  type ContentMember,
  type ContentSource,
  membersOf,
  renderContents,
  type TaskContents,
  type TypeContent,
} from "./channel-contents.ts";
export {
  type Address,
  CREATE_MEMBERS,
  type CreateFields,
  type CreateInput,
  type CreateInputWithData,
  type CreateInputWithOptionalData,
  type FallbackInput,
  type Recipient,
  type UntypedCreateInput,
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
  type DataByType,
  type DataOf,
  type DataOrNone,
  type DeclaredTypes,
  defineTypes,
  type JsonForm,
  type MadeOf,
  type NotificationType,
  type NotificationTypes,
  requireTypes,
  type StoredBy,
  type TypeDeclaration,
  type Typed,
  type TypesMaking,
  type TypesTaking,
  titleCase,
  typeLabel,
} from "./notification-types.ts";
export { declaredType, linkIssues, parseData, parseFields, type SharedFields } from "./parse-data.ts";
export { compareBytewise, type ParsedRecipients, parseExcept, parseRecipients } from "./recipients.ts";
export {
  isLocale,
  localeIssue,
  RENDERED,
  type RenderedTexts,
  type RenderSource,
  renderAgain,
  rendersTexts,
  renderTexts,
  type StoredTexts,
  type Texts,
  type TypeText,
  type TypeTexts,
} from "./rendering.ts";
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
