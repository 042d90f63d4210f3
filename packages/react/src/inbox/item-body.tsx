import type { InboxItem } from "../hooks/registered-client.ts";
import { ItemTime } from "../time/item-time.tsx";
import { useNow } from "../time/now.ts";
import { timeAhead } from "../time/relative-time.ts";
import { useInbox } from "./inbox-context.ts";
import { safeUrl } from "./safe-url.ts";
import { useOpenItem } from "./use-open-item.ts";

/** What {@link ItemBody} takes. */
interface ItemBodyProps {
  readonly item: InboxItem;
  /** The beginning of the ids that name the item. */
  readonly name: string;
}

/** The texts of an item, its time and its actions. */
export function ItemBody({ item, name }: ItemBodyProps) {
  const { texts } = useInbox();
  const open = useOpenItem(item);
  const actions = item.actions.flatMap(({ label, url }) => {
    const link = safeUrl(url);
    return link === null ? [] : [{ label, link }];
  });
  const link = safeUrl(item.url) ?? actions[0]?.link ?? null;
  const title = item.title || item.message;
  return (
    <>
      <div className="belfry-item-head">
        <span id={`${name}-title`} className="belfry-item-title">
          {item.readAt === null && <span className="belfry-hidden">{`${texts.unreadItem}: `}</span>}
          {link === null ? (
            <bdi>{title}</bdi>
          ) : (
            <a href={link} className="belfry-item-link" onClick={(event) => open(event, link)}>
              <bdi>{title}</bdi>
            </a>
          )}
        </span>
        <ItemTime at={item.createdAt} locale={texts.locale} />
      </div>
      {item.title && item.message && (
        <p id={`${name}-message`} className="belfry-item-message">
          <bdi>{item.message}</bdi>
        </p>
      )}
      {(item.priority === "urgent" || item.pinnedAt !== null || item.snoozedUntil !== null) && <Marks item={item} />}
      {actions.length > 0 && (
        <div className="belfry-actions">
          {actions.map((action, index) => (
            <a
              key={`${action.label} ${action.link}`}
              href={action.link}
              className="belfry-action"
              data-primary={index === 0}
              onClick={(event) => open(event, action.link)}
            >
              <bdi>{action.label}</bdi>
            </a>
          ))}
        </div>
      )}
    </>
  );
}

/** The states of an item that its place does not show. */
function Marks({ item }: { readonly item: InboxItem }) {
  const { texts } = useInbox();
  const now = useNow();
  const marks = [
    item.priority === "urgent" ? texts.urgent : null,
    item.pinnedAt === null ? null : texts.pinned,
    item.snoozedUntil === null || now === null
      ? null
      : texts.snoozedUntil.replace("{time}", timeAhead(Date.parse(item.snoozedUntil), now, texts.locale)),
  ].filter((mark) => mark !== null);
  return (
    <div className="belfry-marks">
      {marks.map((mark) => (
        <span key={mark} className="belfry-mark">
          {mark}
        </span>
      ))}
    </div>
  );
}
