/** One text for each plural category of its language that differs; `{n}` stands for the number. */
export interface PluralTexts {
  readonly zero?: string;
  readonly one?: string;
  readonly two?: string;
  readonly few?: string;
  readonly many?: string;
  readonly other: string;
}

/** The texts of the preference panel. */
export interface PreferenceTexts {
  readonly intro: string;
  readonly pause: string;
  readonly pauseHint: string;
  /** `{time}` stands for when the pause ends. */
  readonly pausedUntil: string;
  readonly resume: string;
  readonly forOneHour: string;
  readonly untilTomorrow: string;
  readonly forOneWeek: string;
  readonly quietHours: string;
  readonly quietHoursHint: string;
  readonly from: string;
  readonly to: string;
  readonly days: string;
  readonly other: string;
  /** What stands beside the choice for all types of a category. */
  readonly wholeCategory: string;
  /** The heading of the time at which digests come. */
  readonly digest: string;
  readonly digestHint: string;
  readonly digestTime: string;
  readonly weekday: string;
  readonly frequency: string;
  readonly on: string;
  readonly immediate: string;
  readonly hourly: string;
  readonly daily: string;
  readonly weekly: string;
  /** Why a choice cannot be changed. */
  readonly required: string;
  readonly locked: string;
  readonly fixed: string;
  readonly failed: string;
  /** The switch for pushes to this browser. */
  readonly device: string;
  readonly deviceHint: string;
  /** Why there is nothing to switch. */
  readonly deviceDenied: string;
  readonly deviceNeedsInstall: string;
  readonly deviceUnsupported: string;
  readonly deviceFailed: string;
  readonly nothing: string;
  /** Names of channels; one that is missing here is shown by its own name. */
  readonly channels: Readonly<Record<string, string>>;
}

/** Every text that the inbox shows or says, in one language. */
export interface Texts {
  /** The language, a BCP 47 tag. Times and numbers are written in it, too. */
  readonly locale: string;
  readonly dir: "ltr" | "rtl";
  readonly title: string;
  readonly all: string;
  readonly unread: string;
  readonly archived: string;
  /** The bell's accessible name while something is unread. */
  readonly bell: PluralTexts;
  readonly newItems: PluralTexts;
  /** What the live region says of new notifications. */
  readonly arrived: PluralTexts;
  readonly moreInGroup: PluralTexts;
  readonly fewerInGroup: string;
  readonly markRead: string;
  readonly markUnread: string;
  readonly archive: string;
  readonly unarchive: string;
  readonly pin: string;
  readonly unpin: string;
  readonly snooze: string;
  readonly wake: string;
  readonly remove: string;
  readonly back: string;
  readonly more: string;
  readonly inOneHour: string;
  readonly thisEvening: string;
  readonly tomorrow: string;
  readonly nextWeek: string;
  readonly markAllRead: string;
  readonly archiveAll: string;
  readonly removeRead: string;
  readonly settings: string;
  readonly close: string;
  readonly loading: string;
  readonly empty: string;
  readonly emptyHint: string;
  readonly nothingHere: string;
  readonly failed: string;
  readonly retry: string;
  readonly offline: string;
  readonly pending: PluralTexts;
  readonly refused: string;
  readonly pinned: string;
  /** `{time}` stands for when the item comes back. */
  readonly snoozedUntil: string;
  readonly unreadItem: string;
  readonly urgent: string;
  readonly preferences?: PreferenceTexts;
}
