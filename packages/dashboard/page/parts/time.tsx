import { ago, dateTime } from "../state/format.ts";
import { useNow } from "../state/now.ts";

/** A time as people say it, with the full date as its title. */
export function Time({ date }: { readonly date: string }) {
  return (
    <time dateTime={date} title={dateTime(date)}>
      {ago(date, useNow())}
    </time>
  );
}
