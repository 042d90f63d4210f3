import { useRef } from "preact/hooks";
import { Button } from "../parts/fields.tsx";
import { Icon } from "../parts/icon.tsx";
import { keepKeyboard } from "../parts/keyboard.ts";
import { Link } from "../parts/link.tsx";
import { FailureNote } from "../parts/states.tsx";
import { Time } from "../parts/time.tsx";
import { useAction } from "../state/action.ts";
import { placeUrl } from "../state/place.ts";
import { safeLink } from "../state/safe-link.ts";
import { type Item, itemKey } from "./load-inbox.ts";

interface ItemListProps {
  readonly items: readonly Item[];
  /** Whether each item shows its user. */
  readonly showsUser: boolean;
  readonly canMark: boolean;
  onMarkRead(item: Item): Promise<void>;
}

/** Inbox items, newest first. */
export function ItemList({ items, ...shared }: ItemListProps) {
  const list = useRef<HTMLUListElement>(null);
  return (
    <ul class="items" ref={list} tabIndex={-1}>
      {items.map((item, index) => (
        <Entry
          key={itemKey(item)}
          item={item}
          {...shared}
          // The button that had the focus is gone: the focus moves to the next one, or to the list.
          onMarked={() => keepKeyboard(nextButton(list.current, index) ?? list.current)}
        />
      ))}
    </ul>
  );
}

interface EntryProps extends Omit<ItemListProps, "items"> {
  readonly item: Item;
  onMarked(): void;
}

/** One item. It is marked as read by itself, so a slow one does not hold up the next. */
function Entry({ item, showsUser, canMark, onMarkRead, onMarked }: EntryProps) {
  const action = useAction();
  const mark = () =>
    void action.run(async () => {
      await onMarkRead(item);
      requestAnimationFrame(onMarked);
    });
  return (
    <li class={item.readAt === null ? "item unread" : "item"}>
      <div class="item-text">
        <ItemText item={item} showsUser={showsUser} />
        <FailureNote failure={action.failure} what="The notification was not marked as read." />
      </div>
      {item.readAt === null && canMark ? (
        <Button label={`Mark as read: ${item.title || item.message.slice(0, 60)}`} isBusy={action.isBusy} onPress={mark}>
          <Icon name="check" />
          Mark as read
        </Button>
      ) : null}
    </li>
  );
}

function nextButton(list: HTMLUListElement | null, index: number): HTMLElement | null {
  const after = [...(list?.children ?? [])].slice(index).map((entry) => entry.querySelector<HTMLElement>("button"));
  return after.find((button) => button !== null) ?? null;
}

function ItemText({ item, showsUser }: { readonly item: Item; readonly showsUser: boolean }) {
  const link = safeLink(item);
  return (
    <>
      <p class="item-head">
        {item.readAt === null ? (
          <>
            <span class="dot accent" aria-hidden="true" />
            <span class="visually-hidden">Unread: </span>
          </>
        ) : null}
        <Link to={placeUrl("notification", { id: item.id })} class="item-title">
          {item.title || item.message.slice(0, 120) || "(empty)"}
        </Link>
      </p>
      {item.title === "" && item.message.length <= 120 ? null : <p class="item-message">{item.message}</p>}
      <p class="meta">
        {showsUser ? (
          <Link to={placeUrl("inbox", { user: item.userId })} class="chip">
            {item.userId}
          </Link>
        ) : null}
        <span>{item.type}</span>
        <Time date={item.createdAt} />
        {item.readAt === null ? null : (
          <span>
            read <Time date={item.readAt} />
          </span>
        )}
        {link === null ? null : (
          <a href={link} target="_blank" rel="noopener noreferrer">
            Open link <Icon name="external" />
          </a>
        )}
      </p>
    </>
  );
}
