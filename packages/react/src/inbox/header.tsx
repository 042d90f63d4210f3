import { useBelfry } from "../hooks/belfry-provider.tsx";
import { useFeed } from "./feed.tsx";
import { useInbox } from "./inbox-context.ts";
import { Tool } from "./item-tools.tsx";
import { Menu } from "./menu.tsx";
import { useChange } from "./use-change.ts";

/** What {@link Header} takes. */
export interface HeaderProps {
  /** Opens the preference panel; without it there is no button for it. */
  readonly onPreferences?: () => void;
  /** Whether the reader comes back from the preferences: the button gets the focus. @default false */
  readonly isBack?: boolean;
}

/** The inbox's title, and what can be done with all of it: what came after the newest item on show stays as it is. */
export function Header({ onPreferences, isBack = false }: HeaderProps) {
  const client = useBelfry();
  const { id, texts, tab, layout, bell, setOpen } = useInbox();
  const { newest, rows } = useFeed();
  const done = useChange();
  const of = { upTo: newest, ...(tab.filter === undefined ? {} : { filter: tab.filter }) };
  const hasItems = rows.length > 0 && tab.filter?.archived !== true;
  const close = () => {
    setOpen(false);
    bell.current?.focus();
  };
  return (
    <header className="belfry-header">
      <h2 id={`${id}-title`} className="belfry-title">
        {texts.title}
      </h2>
      {hasItems && (
        <>
          <Tool icon="checks" label={texts.markAllRead} onClick={() => done(client.markAllRead(of), texts.markAllRead)} />
          <Menu
            label={texts.more}
            entries={() => [
              { icon: "archive", label: texts.archiveAll, onSelect: () => done(client.archiveAll(of), texts.archiveAll) },
              { icon: "trash", label: texts.removeRead, onSelect: () => done(client.removeRead(), texts.removeRead) },
            ]}
          />
        </>
      )}
      {onPreferences && <Tool icon="settings" label={texts.settings} onClick={onPreferences} takesFocus={isBack} />}
      {layout === "popover" && <Tool icon="close" label={texts.close} onClick={close} />}
    </header>
  );
}
