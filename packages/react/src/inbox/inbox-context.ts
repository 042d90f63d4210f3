import { createContext, type ReactNode, type RefObject, useContext } from "react";
import type { InboxFilter, InboxItem } from "../hooks/registered-client.ts";
import type { Texts } from "../texts/texts.ts";
import type { SnoozeChoice } from "../time/snooze-choices.ts";

/** A tab of the inbox: a name and what it shows. */
export interface InboxTab {
  readonly id: string;
  readonly label: string;
  readonly filter?: InboxFilter;
}

/** Parts of the finished inbox that a host makes itself. Each gets what it is about; null shows nothing. */
export interface InboxSlots {
  /** What stands at the beginning of an item. */
  readonly avatar?: (item: InboxItem) => ReactNode;
  /** What is shown of an item between its avatar and its buttons. */
  readonly body?: (item: InboxItem) => ReactNode;
  /** A list without items. */
  readonly empty?: (tab: InboxTab) => ReactNode;
  /** What stands below the list. */
  readonly footer?: () => ReactNode;
}

/** What the parts of one inbox share. */
export interface InboxContextValue {
  readonly texts: Texts;
  readonly layout: "popover" | "page";
  readonly badge: "unread" | "unseen";
  readonly slots: InboxSlots;
  readonly isOpen: boolean;
  setOpen(isOpen: boolean): void;
  readonly tabs: readonly InboxTab[];
  readonly tab: InboxTab;
  setTab(tab: InboxTab): void;
  readonly bell: RefObject<HTMLButtonElement | null>;
  readonly panel: RefObject<HTMLElement | null>;
  /** The beginning of the ids of its elements. */
  readonly id: string;
  readonly hasPreferences: boolean;
  /** Says something in the one live region. */
  announce(text: string): void;
  readonly onNavigate: ((url: string, item: InboxItem) => void) | undefined;
  snoozeChoices(now: Date, texts: Texts): readonly SnoozeChoice[];
}

export const InboxContext = /* @__PURE__ */ createContext<InboxContextValue | null>(null);

/** What the parts of this inbox share. @throws Error outside of an inbox */
export function useInbox(): InboxContextValue {
  const inbox = useContext(InboxContext);
  if (inbox === null) {
    throw new Error("@belfry/react: the parts of an inbox need an <Inbox.Root> around them.");
  }
  return inbox;
}
