"use client";

export { BelfryProvider, type BelfryProviderProps, useBelfry } from "./hooks/belfry-provider.tsx";
export { useConnection } from "./hooks/use-connection.ts";
export { type UseCountsOptions, useCounts } from "./hooks/use-counts.ts";
export { type Notifications, type UseNotificationsOptions, useNotifications } from "./hooks/use-notifications.ts";
export { type PreferencesState, usePreferences } from "./hooks/use-preferences.ts";
export type { BellButtonProps, BellProps } from "./inbox/bell.tsx";
export { Inbox, type InboxProps } from "./inbox/inbox.tsx";
export type { InboxSlots, InboxTab } from "./inbox/inbox-context.ts";
export type { InboxRootProps } from "./inbox/root.tsx";
export type { Row } from "./inbox/rows.ts";
export { en } from "./texts/en.ts";
export type { PluralTexts, PreferenceTexts, Texts } from "./texts/texts.ts";
export type { SnoozeChoice } from "./time/snooze-choices.ts";
