import { useNow } from "./now.ts";
import { absoluteTime, relativeTime } from "./relative-time.ts";

/** What {@link ItemTime} takes. */
export interface ItemTimeProps {
  /** ISO 8601. */
  readonly at: string;
  readonly locale: string;
}

/** A time as people say it, with the whole date as its title. On a server it is the date, which is the same in every zone's page. */
export function ItemTime({ at, locale }: ItemTimeProps) {
  const now = useNow();
  const time = Date.parse(at);
  return (
    <time className="belfry-time" dateTime={at} title={now === null ? undefined : absoluteTime(time, locale)}>
      {now === null ? at.slice(0, 10) : relativeTime(time, now, locale)}
    </time>
  );
}
