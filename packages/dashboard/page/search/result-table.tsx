import type { ActivitySummary } from "@belfry/core";
import { Fragment, type VNode } from "preact";
import type { Json } from "../../src/wire.ts";
import { Link } from "../parts/link.tsx";
import { StandingNote, SummaryStatus } from "../parts/status.tsx";
import { Time } from "../parts/time.tsx";
import { number } from "../state/format.ts";
import { placeUrl } from "../state/place.ts";

type Summary = Json<ActivitySummary>;

/** Notifications, one a line; on narrow screens one a card. */
export function ResultTable({ results }: { readonly results: readonly Summary[] }) {
  return (
    <table class="results">
      <thead>
        <tr>
          <th scope="col">Notification</th>
          <th scope="col">Status</th>
          <th scope="col">Recipients</th>
          <th scope="col">Channels</th>
          <th scope="col">Type</th>
          <th scope="col">Created</th>
        </tr>
      </thead>
      <tbody>{results.map(rowOf)}</tbody>
    </table>
  );
}

/** Rows as they were made: one whose notification is the same is the very same, and is not rendered again. */
const made = new WeakMap<Summary, VNode>();

function rowOf(summary: Summary): VNode {
  const row = made.get(summary) ?? <Row key={summary.id} summary={summary} />;
  made.set(summary, row);
  return row;
}

function Row({ summary }: { readonly summary: Summary }) {
  return (
    <tr>
      <th scope="row">
        <Link to={placeUrl("notification", { id: summary.id })}>{nameOf(summary)}</Link>
        {summary.title === "" ? null : <span class="excerpt">{summary.excerpt}</span>}
      </th>
      <td>
        <SummaryStatus summary={summary} />
        {summary.standing === null ? null : (
          <span class="excerpt">
            <StandingNote standing={summary.standing} />
          </span>
        )}
        {summary.lastError === null ? null : (
          <span class="excerpt" title={summary.lastError}>
            {summary.lastError}
          </span>
        )}
      </td>
      <td>
        <Recipients summary={summary} />
      </td>
      <td>{summary.channels.join(", ") || "–"}</td>
      <td>{summary.type}</td>
      <td>
        <Time date={summary.createdAt} />
      </td>
    </tr>
  );
}

/** The name of a notification in a list. */
export function nameOf({ title, excerpt }: Summary): string {
  return title || (excerpt.length > 80 ? `${excerpt.slice(0, 79).trimEnd()}…` : excerpt) || "(empty)";
}

/** The first recipients, and how many more there are. */
export function Recipients({ summary: { recipients, recipientCount, isForEveryone } }: { readonly summary: Summary }) {
  if (isForEveryone) {
    return <>everyone</>;
  }
  const more = recipientCount - recipients.length;
  if (recipients.length === 0) {
    return <>–</>;
  }
  return (
    <>
      {recipients.map((recipient, index) => (
        <Fragment key={recipient}>
          {index === 0 ? "" : ", "}
          <Link to={placeUrl("user", { id: recipient })}>
            <bdi>{recipient}</bdi>
          </Link>
        </Fragment>
      ))}
      {more > 0 ? ` and ${number(more)} more` : ""}
    </>
  );
}
