import type { KeyboardEvent } from "react";
import { useCounts } from "../hooks/use-counts.ts";
import { numberText } from "../texts/plural.ts";
import { type InboxTab, useInbox } from "./inbox-context.ts";
import { focusTarget } from "./roving-focus.ts";

/** The tabs. One of them is in the order of Tab; arrows, Home and End lead to the others. */
export function Tabs() {
  const { tabs, texts, setTab } = useInbox();
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>("[role=tab]")];
    const target = focusTarget(event, buttons);
    const tab = target && tabs[buttons.indexOf(target)];
    if (target && tab) {
      event.preventDefault();
      target.focus();
      setTab(tab);
    }
  };
  return tabs.length < 2 ? null : (
    <div className="belfry-tabs" role="tablist" aria-label={texts.title} onKeyDown={onKeyDown}>
      {tabs.map((tab) => (
        <Tab key={tab.id} tab={tab} />
      ))}
    </div>
  );
}

function Tab({ tab }: { readonly tab: InboxTab }) {
  const { id, tab: current, setTab, texts } = useInbox();
  const isCurrent = tab.id === current.id;
  return (
    <button
      type="button"
      role="tab"
      id={`${id}-tab-${tab.id}`}
      className="belfry-tab"
      aria-selected={isCurrent}
      aria-controls={`${id}-list`}
      tabIndex={isCurrent ? 0 : -1}
      onClick={() => setTab(tab)}
    >
      {tab.label}
      {tab.filter?.archived !== true && <UnreadOf tab={tab} locale={texts.locale} />}
    </button>
  );
}

/** How many unread items a tab has. */
function UnreadOf({ tab, locale }: { readonly tab: InboxTab; readonly locale: string }) {
  const counts = useCounts({ filter: tab.filter });
  const unread = counts?.unread ?? 0;
  return unread === 0 ? null : <span className="belfry-count">{numberText(locale, unread)}</span>;
}
