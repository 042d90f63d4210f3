import { useRef } from "preact/hooks";
import { Button } from "../parts/fields.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { FailureNote } from "../parts/states.tsx";
import { Time } from "../parts/time.tsx";
import { useAction } from "../state/action.ts";
import { placeUrl } from "../state/place.ts";
import { safeLink } from "../state/safe-link.ts";
import { type Item, itemKey } from "./load-inbox.ts";

interface ItemListProps {
  readonly items: readonly Item[];
  /** Whether each item says whose it is. */
  readonly showsUser: boolean;
  readonly canMark: boolean;
  onMarkRead(item: Item): Promise<void>;
}

/** Inbox items, newest first. */
export function ItemList({ items, showsUser, canMark, onMarkRead }: ItemListProps) {
  const list = useRef<HTMLUListElement>(null);
  const action = useAction();
  const mark = (item: Item, index: number) => {
    void action.run(async () => {
      await onMarkRead(item);
      // The button that had the keyboard is gone: the next one has it, or the list.
      requestAnimationFrame(() => (nextButton(list.current, index) ?? list.current)?.focus());
    });
  };
  return (
    <>
      <FailureNote failure={action.failure} what="The notification was not marked as read." />
      <ul class="items" ref={list} tabIndex={-1}>
        {items.map((item, index) => (
          <li key={itemKey(item)} class={item.readAt === null ? "item unread" : "item"}>
            <ItemText item={item} showsUser={showsUser} />
            {item.readAt === null && canMark ? (
              <Button label={`Mark as read: ${item.title || item.message.slice(0, 60)}`} onPress={() => mark(item, index)}>
                <Icon name="check" />
                Mark as read
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
    </>
  );
}

function nextButton(list: HTMLUListElement | null, index: number): HTMLElement | null {
  const after = [...(list?.children ?? [])].slice(index).map((entry) => entry.querySelector<HTMLElement>("button"));
  return after.find((button) => button !== null) ?? null;
}

function ItemText({ item, showsUser }: { readonly item: Item; readonly showsUser: boolean }) {
  const link = safeLink(item.data);
  return (
    <div class="item-text">
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
    </div>
  );
}
