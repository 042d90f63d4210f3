import type { ActivitySummary } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import { Link } from "../parts/link.tsx";
import { SummaryStatus } from "../parts/status.tsx";
import { Time } from "../parts/time.tsx";
import { number } from "../state/format.ts";
import { placeUrl } from "../state/place.ts";

type Summary = Json<ActivitySummary>;

/** Notifications, a line each; on narrow screens a card each. */
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
      <tbody>
        {results.map((summary) => (
          <tr key={summary.id}>
            <th scope="row">
              <Link to={placeUrl("notification", { id: summary.id })}>{nameOf(summary)}</Link>
              {summary.title === "" ? null : <span class="excerpt">{summary.excerpt}</span>}
            </th>
            <td>
              <SummaryStatus summary={summary} />
            </td>
            <td>{recipientsOf(summary)}</td>
            <td>{summary.channels.join(", ") || "–"}</td>
            <td>{summary.type}</td>
            <td>
              <Time date={summary.createdAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What a notification is called in a list. */
export function nameOf({ title, excerpt }: Summary): string {
  return title || (excerpt.length > 80 ? `${excerpt.slice(0, 79).trimEnd()}…` : excerpt) || "(empty)";
}

/** The first recipients, and how many more there are. */
export function recipientsOf({ recipients, recipientCount }: Summary): string {
  const more = recipientCount - recipients.length;
  return recipients.length === 0 ? "–" : recipients.join(", ") + (more > 0 ? ` and ${number(more)} more` : "");
}
