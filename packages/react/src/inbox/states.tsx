import { useConnection } from "../hooks/use-connection.ts";
import { plural } from "../texts/plural.ts";
import { useFeed } from "./feed.tsx";
import { Icon } from "./icon.tsx";
import { useInbox } from "./inbox-context.ts";

const SKELETON_ROWS = [1, 2, 3, 4];

/** Grey rows in place of items that are being loaded. */
export function Loading() {
  const { texts } = useInbox();
  return (
    <div className="belfry-loading" role="img" aria-label={texts.loading}>
      {SKELETON_ROWS.map((row) => (
        <div key={row} className="belfry-skeleton">
          <span />
          <div>
            <span />
            <span />
          </div>
        </div>
      ))}
    </div>
  );
}

/** A list that has no items. */
export function Empty() {
  const { texts, tab, slots } = useInbox();
  if (slots.empty !== undefined) {
    return slots.empty(tab);
  }
  const isArchive = tab.filter?.archived === true;
  return (
    <div className="belfry-state">
      <span className="belfry-state-icon">
        <Icon name={isArchive ? "archive" : "bell"} />
      </span>
      <p className="belfry-state-title">{isArchive ? texts.nothingHere : texts.empty}</p>
      {!isArchive && <p>{texts.emptyHint}</p>}
    </div>
  );
}

/** A list that could not be loaded. */
export function Failed() {
  const { notifications } = useFeed();
  return <Broken onRetry={() => void notifications.refresh()} />;
}

/** What {@link Broken} takes. */
interface BrokenProps {
  /** @default that notifications could not be loaded */
  readonly text?: string | undefined;
  readonly onRetry: () => void;
}

/** Says that something could not be loaded. */
export function Broken({ text, onRetry }: BrokenProps) {
  const { texts } = useInbox();
  return (
    <div className="belfry-state">
      <span className="belfry-state-icon" data-bad="">
        <Icon name="cloud" />
      </span>
      <p className="belfry-state-title">{text ?? texts.failed}</p>
      <button type="button" className="belfry-action" onClick={onRetry}>
        {texts.retry}
      </button>
    </div>
  );
}

/** Says that there is no connection, and how many changes wait for it. */
export function Offline() {
  const { texts } = useInbox();
  const { connection, pending } = useConnection();
  return connection !== "offline" ? null : (
    <p className="belfry-offline">
      <Icon name="cloud" />
      <span>{texts.offline}</span>
      {pending > 0 && <span>{plural(texts.locale, texts.pending, pending)}</span>}
    </p>
  );
}
