export {
  CHOICE_SCOPES,
  type Choice,
  type ChoicePlace,
  type ChoiceScope,
  type ChoiceSource,
  type ChoiceSubject,
  Choices,
  type ChoiceValue,
  type EffectiveChoice,
  type Frequency,
  sourceText,
  type TenantChoice,
} from "./choice.ts";
export type { DecisionsContext } from "./context.ts";
export {
  type ChannelRules,
  DECISION_RULES,
  type Decision,
  type DecisionRule,
  type DecisionState,
  type DigestPlan,
  decide,
  decision,
  explainDecision,
  type RuleResults,
  type SkipReason,
} from "./decide.ts";
export { type DecisionFacts, type DecisionSubject, decideFor, explainFor, obeysChoices } from "./decide-for.ts";
export type { DecisionsStorage, OwnPreferences, PreferencesOwner, StoredPreferences } from "./decisions-storage.ts";
export type { ChannelPreference, PreferenceList, TypePreferences } from "./list-preferences.ts";
export { type DigestTime, isTimeZone, nextDigest, type QuietHours, quietUntil, WEEKDAYS, type Weekday } from "./local-time.ts";
export type { ChoiceInput, ChoiceTarget, DefaultInput, MuteTarget } from "./parse-preferences.ts";
export type { DefaultSettingsInput, SettingsInput } from "./parse-settings.ts";
export { type DefaultList, type PreferenceDefaults, Preferences } from "./preferences.ts";
export type { UserPreferences } from "./preferences-of.ts";
export { type PreferencesLookup, PreferencesReader } from "./preferences-reader.ts";
export { DEFAULT_DIGEST, type DigestSettings, type Settings, UserSettings } from "./settings.ts";
export { askThrottle, type Throttle, type ThrottleResult } from "./throttle.ts";
