import { useBelfry } from "../hooks/belfry-provider.tsx";
import { Icon, type IconName } from "./icon.tsx";
import { useInbox } from "./inbox-context.ts";
import { itemEntries } from "./item-entries.ts";
import { Menu } from "./menu.tsx";
import type { Row } from "./rows.ts";
import { useChange } from "./use-change.ts";

/** The buttons of an item: read or unread, archive, and a menu with everything. A folded group is changed as a whole. */
export function ItemTools({ row: { item, folded, isUnfolded } }: { readonly row: Row }) {
  const client = useBelfry();
  const { texts, snoozeChoices } = useInbox();
  const done = useChange();
  const ids = isUnfolded ? [item.id] : [item.id, ...folded.map(({ id }) => id)];
  const isUnread = item.readAt === null;
  const entries = () => {
    const now = new Date();
    return itemEntries({ item, ids, client, texts, choices: snoozeChoices(now, texts), now: now.getTime(), done });
  };
  const [readLabel, archiveLabel] = [isUnread ? texts.markRead : texts.markUnread, texts.archive];
  return (
    <div className="belfry-tools">
      <Tool
        icon={isUnread ? "check" : "dot"}
        label={readLabel}
        onClick={() => done(isUnread ? client.markRead(ids) : client.markUnread(ids), readLabel)}
      />
      {item.archivedAt === null && <Tool icon="archive" label={archiveLabel} onClick={() => done(client.archive(ids), archiveLabel)} />}
      <Menu label={texts.more} entries={entries} />
    </div>
  );
}

/** What {@link Tool} takes. */
interface ToolProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
  /** Whether it gets the focus when it appears. @default false */
  readonly takesFocus?: boolean;
}

/** Gives a button the focus when it appears. */
function giveFocus(button: HTMLButtonElement | null): void {
  button?.focus();
}

/** A button that shows an icon alone; its name is its title, too. */
export function Tool({ icon, label, onClick, takesFocus = false }: ToolProps) {
  return (
    <button ref={takesFocus ? giveFocus : null} type="button" className="belfry-tool" aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}
