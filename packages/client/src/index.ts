export type { BaseState } from "./base.ts";
export type { Change, ChangeRequest, GroupChange, ItemChange, WholeChange } from "./change.ts";
export {
  type ClientSnapshot,
  createClient,
  type GroupChanges,
  type GroupRange,
  type Ids,
  InboxClient,
  type ManyInput,
  type View,
} from "./client.ts";
export type { ConnectionStatus } from "./connection.ts";
export type { ClientEvents } from "./events.ts";
export type { Filter } from "./filter.ts";
export type { Group, GroupsInput, GroupsPage } from "./groups.ts";
export type { HttpOptions } from "./http.ts";
export type { Counts, Declared, Item, ItemOf, JsonObject, Named, Position, Tally } from "./item.ts";
export type { ClientOptions } from "./options.ts";
export type {
  ChannelPreference,
  Choice,
  ChoiceTarget,
  ChoiceValue,
  ExplainedDecision,
  ExplainInput,
  Explanation,
  PreferenceList,
  Preferences,
  QuietHours,
  Settings,
  SettingsInput,
  Weekday,
} from "./preferences.ts";
export type { PushLook } from "./push/kept-device.ts";
export type { Push, PushOptions, PushSnapshot, PushState } from "./push/push.ts";
export type { ClientError, Result } from "./result.ts";
export type { InitialState } from "./snapshot.ts";
export type { Subscription, SubscriptionsInput, SubscriptionsPage, Topics } from "./topics.ts";
export type { TransportName } from "./transports.ts";
export type { Loaded, ViewCounts, ViewSnapshot } from "./view.ts";
