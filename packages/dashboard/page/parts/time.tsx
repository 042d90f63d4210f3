import { dateTime, timeAndDistance } from "../state/format.ts";
import { useNow } from "../state/now.ts";

/** A time of day and how far away it is, with the full date and its zone as its title. */
export function Time({ date }: { readonly date: string }) {
  return (
    <time dateTime={date} title={dateTime(date)}>
      {timeAndDistance(date, useNow())}
    </time>
  );
}
