export {
  CHOICE_SCOPES,
  CHOICE_VALUES,
  type Choice,
  type ChoicePlace,
  type ChoiceScope,
  type ChoiceValue,
  type Frequency,
  type TenantChoice,
} from "./choice.ts";
export type { DecisionsContext } from "./context.ts";
export {
  DECISION_RULES,
  type Decision,
  type DecisionRule,
  type DigestFrequency,
  type DigestPlan,
  decision,
  type RuleResults,
  type SkipReason,
} from "./decide.ts";
export { type DecisionFacts, type DecisionSubject, decideFor, explainFor, obeysChoices, wantsItem } from "./decide-for.ts";
export type { DecisionsStorage, OwnPreferences, PreferencesOwner, StoredPreferences, ThrottleQuestion } from "./decisions-storage.ts";
export type { ChannelPreference, ListedCategory, PreferenceList, PreferenceListOptions, TypePreferences } from "./list-preferences.ts";
export { type DigestTime, isTimeZone, nextDigest, type QuietHours, WEEKDAYS, type Weekday } from "./local-time.ts";
export {
  type ChoiceTarget,
  type ChoiceTargets,
  channelIssue,
  type DefaultInput,
  type MuteTarget,
  type NarrowedChoice,
} from "./parse-preferences.ts";
export type { DefaultSettingsInput, SettingsInput } from "./parse-settings.ts";
export { type DefaultList, type PreferenceDefaults, Preferences } from "./preferences.ts";
export { type PreferencesLookup, PreferencesReader } from "./preferences-reader.ts";
export type { DigestSettings, Settings, UserSettings } from "./settings.ts";
export { askThrottle, type Throttle, type ThrottleResult } from "./throttle.ts";
export { type Unsubscribed, type UnsubscribeLabel, Unsubscribing } from "./unsubscribe.ts";
export { UNSUBSCRIBE_PATH, UnsubscribeLinks } from "./unsubscribe-links.ts";
