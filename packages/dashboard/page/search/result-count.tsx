import { useEffect, useRef } from "preact/hooks";
import { announce } from "../state/announcements.ts";
import { get } from "../state/api.ts";
import { counted, number } from "../state/format.ts";
import { useRevision } from "../state/live.ts";
import type { LiveEvent } from "../state/live-connection.ts";
import { paced } from "../state/pace.ts";
import { useResource } from "../state/resource.ts";
import type { SearchFilter } from "./search-filter.ts";

/** The server counts no further than this. */
const COUNT_LIMIT = 10_000;

/** The view counts the results at most this often, however fast they change. */
const REFRESH_MS = 5_000;

interface ResultCountProps {
  readonly filter: SearchFilter;
  /** How many results are on show. */
  readonly shown: number;
  readonly hasMore: boolean;
  matters(event: LiveEvent): boolean;
}

/** How many results there are. They are on show by then: where all of them are, there is nothing to ask. */
export function ResultCount({ hasMore, ...props }: ResultCountProps) {
  return hasMore ? <AskedCount {...props} /> : <Count filter={props.filter} text={counted(props.shown, "notification")} />;
}

function AskedCount({ filter, shown, matters }: Omit<ResultCountProps, "hasMore">) {
  const pace = useRef(REFRESH_MS);
  const revision = useRevision((event) => event.name === "notification" && matters(event), pace.current);
  const load = (signal: AbortSignal) => get<{ count: number }>("activity-count", filter, signal);
  const { value } = useResource(JSON.stringify(filter), paced(load, pace, REFRESH_MS), revision);
  return value === null ? (
    <p class="muted count">More than {number(shown)}</p>
  ) : (
    <Count filter={filter} text={countedUp(Math.max(shown, value.count))} />
  );
}

function Count({ filter, text }: { readonly filter: SearchFilter; readonly text: string }) {
  const key = JSON.stringify(filter);
  useEffect(() => announce(`${text} found.`), [key]);
  return (
    <p class="muted count" data-testid="count">
      {text}
      {key === "{}" ? "" : " match"}
    </p>
  );
}

/** A count as text. Counting stops at a limit, so at the limit there may be more. */
function countedUp(count: number): string {
  return count >= COUNT_LIMIT ? `${number(COUNT_LIMIT)} or more notifications` : counted(count, "notification");
}
