import type { DeliveryLine } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import { Link } from "../parts/link.tsx";
import { StandingNote, Status, stateWords, toneOf } from "../parts/status.tsx";
import { Time } from "../parts/time.tsx";
import { placeUrl } from "../state/place.ts";
import { attemptSteps, REASONS } from "./steps.ts";
import { Timeline } from "./timeline.tsx";

type Line = Json<DeliveryLine>;

/** What the lines have in common: one user, or one notification. */
export type LinesOf = "user" | "notification";

/** Deliveries, one a line, each with its state, why, and its attempts, which are open where something failed; on narrow screens one a card. */
export function DeliveryTable({ lines, of }: { readonly lines: readonly Line[]; readonly of: LinesOf }) {
  return (
    <table class="results">
      <thead>
        <tr>
          <th scope="col">{of === "user" ? "Notification" : "Recipient"}</th>
          <th scope="col">Channel</th>
          <th scope="col">State</th>
          <th scope="col">{of === "user" ? "Created" : "Settled"}</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={line.delivery.id}>
            <th scope="row">{of === "user" ? <Notification line={line} /> : <Recipient line={line} />}</th>
            <td>
              {line.delivery.channel}
              {line.delivery.isFallback ? " (fallback)" : ""}
            </td>
            <td>
              <State delivery={line.delivery} />
            </td>
            <td>
              <When line={line} of={of} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Notification({ line: { delivery, notification } }: { readonly line: Line }) {
  return (
    <>
      <Link to={placeUrl("notification", { id: delivery.notificationId })}>{notification.title || notification.type}</Link>
      <span class="excerpt">
        {notification.type} to <bdi>{delivery.recipient}</bdi>
      </span>
    </>
  );
}

function Recipient({ line: { delivery } }: { readonly line: Line }) {
  return (
    <Link to={placeUrl("user", { id: delivery.recipient })}>
      <bdi>{delivery.recipient}</bdi>
    </Link>
  );
}

function When({ line: { delivery, notification }, of }: { readonly line: Line; readonly of: LinesOf }) {
  const date = of === "user" ? notification.createdAt : delivery.settledAt;
  return date === null ? <>–</> : <Time date={date} />;
}

/** How a delivery stands, why, and its attempts. */
function State({ delivery }: { readonly delivery: Line["delivery"] }) {
  const { standing, reason, status, attempts } = delivery;
  const isFailing = status === "failed" || (status === "pending" && attempts.length > 0);
  return (
    <>
      {status === "pending" ? <span class={`tag ${toneOf(standing.state)}`}>{stateWords(standing)}</span> : <Status status={status} />}
      {status === "pending" ? (
        <span class="excerpt">
          <StandingNote standing={standing} />
        </span>
      ) : null}
      {reason === null ? null : <span class="excerpt">{REASONS[reason]}</span>}
      {attempts.length === 0 ? null : (
        <details open={isFailing}>
          <summary>{attempts.length === 1 ? "One attempt" : `The last ${attempts.length} attempts`}</summary>
          <Timeline steps={attemptSteps(delivery)} />
        </details>
      )}
    </>
  );
}
