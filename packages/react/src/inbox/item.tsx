import { type KeyboardEvent, memo, type ReactNode } from "react";
import { useBelfry } from "../hooks/belfry-provider.tsx";
import type { InboxItem } from "../hooks/registered-client.ts";
import { plural } from "../texts/plural.ts";
import { useFeed } from "./feed.tsx";
import { Icon } from "./icon.tsx";
import { useInbox } from "./inbox-context.ts";
import { ItemBody } from "./item-body.tsx";
import { ItemTools } from "./item-tools.tsx";
import type { Row } from "./rows.ts";

/** What {@link Item} takes. */
export interface ItemProps {
  readonly row: Row;
  /** Its place in the list, from 0. */
  readonly index: number;
  /** What is shown in place of the avatar, the texts and the buttons. */
  readonly children?: ReactNode;
}

/** One item of the list. Enter follows its link, or marks it as read if it has none. */
export function Item({ row, index, children }: ItemProps) {
  const { item } = row;
  const client = useBelfry();
  const { id, slots } = useInbox();
  const { rows, notifications } = useFeed();
  const name = `${id}-${item.id}`;
  // Texts of the host's own have no ids to go by.
  const isOwn = children === undefined && slots.body === undefined;
  const names = isOwn
    ? { "aria-labelledby": `${name}-title`, "aria-describedby": item.title && item.message ? `${name}-message` : undefined }
    : { "aria-label": item.title || item.message };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.key !== "Enter" || event.target !== event.currentTarget) {
      return;
    }
    const link = event.currentTarget.querySelector<HTMLElement>(".belfry-item-link");
    if (link !== null) {
      link.click();
    } else if (item.readAt === null) {
      void client.markRead(item.id);
    }
  };
  return (
    <article
      className="belfry-item"
      data-unread={item.readAt === null}
      data-priority={item.priority}
      data-member={row.isMember}
      data-index={index}
      // The list is a feed, whose articles take the focus.
      tabIndex={0}
      aria-posinset={index + 1}
      aria-setsize={notifications.hasMore ? -1 : rows.length}
      {...names}
      onKeyDown={onKeyDown}
    >
      {children ?? <Content row={row} name={name} />}
    </article>
  );
}

/** What {@link Content} takes. */
interface ContentProps {
  readonly row: Row;
  /** The beginning of the ids that name the item. */
  readonly name: string;
}

/** What is in an item. Its place in the list is no part of it, so that it stays as it is when another item comes or goes. */
const Content = /* @__PURE__ */ memo(function Content({ row, name }: ContentProps) {
  const { item } = row;
  const { slots } = useInbox();
  return (
    <>
      {slots.avatar ? slots.avatar(item) : <Avatar item={item} />}
      <div className="belfry-item-main">
        {slots.body ? slots.body(item) : <ItemBody item={item} name={name} />}
        {row.folded.length > 0 && <Fold row={row} />}
      </div>
      <ItemTools row={row} />
    </>
  );
});

const TINTS = 4;

/** The first letter of who caused it, in a tint of their own; a bell where nobody did. */
function Avatar({ item: { actor, priority } }: { readonly item: InboxItem }) {
  const letters = [...(actor ?? "")];
  const tint = letters.reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0) % TINTS;
  return (
    <span className="belfry-avatar" data-tint={actor === null ? undefined : tint} data-priority={priority} aria-hidden="true">
      {letters[0]?.toUpperCase() ?? <Icon name="bell" />}
    </span>
  );
}

/** Shows the older items of a group, or folds them behind the newest. */
function Fold({ row: { item, folded, isUnfolded } }: { readonly row: Row }) {
  const { texts } = useInbox();
  const { toggleGroup } = useFeed();
  const { group } = item;
  return group === null ? null : (
    <button type="button" className="belfry-fold" aria-expanded={isUnfolded} onClick={() => toggleGroup(group)}>
      {isUnfolded ? texts.fewerInGroup : plural(texts.locale, texts.moreInGroup, folded.length)}
    </button>
  );
}
