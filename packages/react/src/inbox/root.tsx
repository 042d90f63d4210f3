import { type ReactNode, useCallback, useEffect, useId, useMemo, useRef, useState } from "react";
import type { InboxItem } from "../hooks/registered-client.ts";
import type { Texts } from "../texts/texts.ts";
import { useTexts } from "../texts/use-texts.ts";
import { prepareFormats } from "../time/prepare-formats.ts";
import { type SnoozeChoice, snoozeChoices } from "../time/snooze-choices.ts";
import { InboxContext, type InboxContextValue, type InboxSlots, type InboxTab } from "./inbox-context.ts";
import { useAnnouncer } from "./use-announcer.ts";

/** What an inbox takes, finished or in parts. */
export interface InboxRootProps {
  /** `popover` opens from a bell, `page` fills its place. @default "popover" */
  readonly layout?: "popover" | "page" | undefined;
  /** The language, a BCP 47 tag; its texts are loaded. @default "en" */
  readonly locale?: string | undefined;
  /** Texts that need no loading, such as `de` of `@belfry/react/locales/de`, or your own. @default those of `locale` */
  readonly texts?: Texts | undefined;
  /** @default that of the texts */
  readonly dir?: "ltr" | "rtl" | undefined;
  /** `inherit` follows the page's `color-scheme`, `system` the reader's choice. @default "inherit" */
  readonly theme?: "inherit" | "system" | "light" | "dark" | undefined;
  /** What the bell counts. @default "unread" */
  readonly badge?: "unread" | "unseen" | undefined;
  /** @default all, unread and archived */
  readonly tabs?: readonly InboxTab[] | undefined;
  readonly slots?: InboxSlots | undefined;
  /** Whether the popover is open, if the host decides it. @default the bell decides */
  readonly open?: boolean | undefined;
  readonly onOpenChange?: ((isOpen: boolean) => void) | undefined;
  /** Goes to an item's link, such as a router's `push`. @default the browser follows the link */
  readonly onNavigate?: ((url: string, item: InboxItem) => void) | undefined;
  /** The times that items can be put off until. @default in an hour, this evening, tomorrow, next week */
  readonly snoozeChoices?: ((now: Date, texts: Texts) => readonly SnoozeChoice[]) | undefined;
  /** Whether the reader can open the preference panel. @default true */
  readonly preferences?: boolean | undefined;
  readonly className?: string | undefined;
  readonly children?: ReactNode;
}

const NO_SLOTS: InboxSlots = {};

/** The tabs of an inbox whose host names none. */
function standardTabs(texts: Texts): readonly InboxTab[] {
  return [
    { id: "all", label: texts.all },
    { id: "unread", label: texts.unread, filter: { read: false } },
    { id: "archived", label: texts.archived, filter: { archived: true } },
  ];
}

/** A state that the host keeps if it gives a value, else this component. */
function useOpen({ open, onOpenChange }: InboxRootProps): readonly [boolean, (isOpen: boolean) => void] {
  const [own, setOwn] = useState(false);
  const setOpen = useCallback(
    (isOpen: boolean) => {
      setOwn(isOpen);
      onOpenChange?.(isOpen);
    },
    [onOpenChange],
  );
  return [open ?? own, setOpen];
}

/** What is around all parts of an inbox: its texts, its state, and the one live region that tells a screen reader of changes. */
export function Root(props: InboxRootProps) {
  const { layout = "popover", badge = "unread", slots = NO_SLOTS, preferences = true, onNavigate } = props;
  const texts = useTexts(props.texts, props.locale);
  useEffect(() => prepareFormats(texts.locale), [texts.locale]);
  const [isOpen, setOpen] = useOpen(props);
  const [chosen, setChosen] = useState<string | null>(null);
  const { message, announce } = useAnnouncer(texts);
  const bell = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLElement>(null);
  const id = useId();
  const tabs = useMemo(() => props.tabs ?? standardTabs(texts), [props.tabs, texts]);
  const tab = tabs.find((one) => one.id === chosen) ?? tabs[0];
  const choices = props.snoozeChoices ?? snoozeChoices;
  const value = useMemo((): InboxContextValue | null => {
    const shared = { texts, layout, badge, slots, setOpen, tabs, bell, panel, id, announce, onNavigate, snoozeChoices: choices };
    const isShown = isOpen || layout === "page";
    return tab === undefined ? null : { ...shared, tab, setTab: (one) => setChosen(one.id), isOpen: isShown, hasPreferences: preferences };
  }, [texts, layout, badge, slots, isOpen, setOpen, tabs, tab, id, announce, onNavigate, choices, preferences]);
  return (
    <div
      className={["belfry", props.className].filter(Boolean).join(" ")}
      data-layout={layout}
      data-theme={props.theme ?? "inherit"}
      dir={props.dir ?? texts.dir}
      lang={texts.locale}
    >
      <InboxContext.Provider value={value}>{value && props.children}</InboxContext.Provider>
      <div className="belfry-hidden" role="status">
        {message}
      </div>
    </div>
  );
}
