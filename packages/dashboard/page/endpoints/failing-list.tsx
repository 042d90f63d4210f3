import type { FailingEndpoint, FailureCause } from "@belfry/core";
import { useState } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { Link } from "../parts/link.tsx";
import { Empty } from "../parts/states.tsx";
import { Time } from "../parts/time.tsx";
import { RetryAllDialog } from "../search/retry-all-dialog.tsx";
import { counted, number } from "../state/format.ts";
import { placeUrl } from "../state/place.ts";
import { REASONS } from "../timeline/steps.ts";
import { EndpointActions } from "./endpoint-actions.tsx";
import { placeWords } from "./pause-words.ts";

type Endpoint = Json<FailingEndpoint>;

interface FailingListProps {
  readonly endpoints: readonly Endpoint[];
  onDone(): void;
}

/** The endpoints that fail, the most affected deliveries first. */
export function FailingList({ endpoints, onDone }: FailingListProps) {
  // Kept here and not by the endpoint: once everything to it has arrived it leaves the list, and the dialog still tells how its run ended.
  const [retried, setRetried] = useState<Pick<Endpoint, "channel" | "recipient"> | null>(null);
  return (
    <>
      {endpoints.length === 0 ? (
        <Empty title="No endpoint fails">An endpoint appears here with its first failed attempt, until everything to it has arrived.</Empty>
      ) : (
        <ul class="endpoints">
          {endpoints.map((endpoint) => (
            <FailingItem
              key={placeWords(endpoint)}
              endpoint={endpoint}
              onDone={onDone}
              onRetry={() => setRetried({ channel: endpoint.channel, recipient: endpoint.recipient })}
            />
          ))}
        </ul>
      )}
      {retried === null ? null : <RetryAllDialog filter={retried} onClose={() => setRetried(null)} />}
    </>
  );
}

interface FailingItemProps {
  readonly endpoint: Endpoint;
  onDone(): void;
  onRetry(): void;
}

function FailingItem({ endpoint, onDone, onRetry }: FailingItemProps) {
  return (
    <li class="endpoint">
      <div class="endpoint-head">
        <Link to={placeUrl("search", { channel: endpoint.channel, recipient: endpoint.recipient })}>
          <bdi>{placeWords(endpoint)}</bdi>
        </Link>
        <EndpointState endpoint={endpoint} />
      </div>
      <p>
        {counted(endpoint.deliveries, "delivery", "deliveries")} affected, {number(endpoint.retrying)} to be tried again;{" "}
        {counted(endpoint.attempts, "attempt")}, {rateWords(endpoint)}
      </p>
      <p class="muted">
        since <Time date={endpoint.firstAt} />, last <Time date={endpoint.lastAt} />
      </p>
      <ul class="causes">
        {endpoint.causes.map((cause) => (
          <Cause key={`${cause.provider} ${cause.error} ${cause.reason}`} cause={cause} />
        ))}
      </ul>
      <EndpointActions endpoint={endpoint} onDone={onDone} onRetry={onRetry} />
    </li>
  );
}

function Cause({ cause: { provider, error, reason, deliveries, firstAt, lastAt } }: { readonly cause: Json<FailureCause> }) {
  const why = error || (reason === null ? "no error is known" : REASONS[reason]);
  return (
    <li>
      <strong>{number(deliveries)} ×</strong> {provider === "" ? null : `${provider}: `}
      <bdi>{why}</bdi>{" "}
      <span class="muted">
        <Time date={firstAt} /> to <Time date={lastAt} />
      </span>
    </li>
  );
}

function EndpointState({ endpoint: { pause, restsUntil, failuresInARow } }: { readonly endpoint: Endpoint }) {
  if (pause !== null) {
    return <span class="tag warn">paused</span>;
  }
  return restsUntil === null ? null : (
    <span class="tag warn">
      rests until <Time date={restsUntil} /> after {counted(failuresInARow, "failure")} in a row
    </span>
  );
}

const HOUR_MS = 3_600_000;

/** How fast attempts failed between the first and the last. */
function rateWords({ attempts, firstAt, lastAt }: Endpoint): string {
  const hours = Math.max(1, (new Date(lastAt).getTime() - new Date(firstAt).getTime()) / HOUR_MS);
  return `${number(Math.max(1, Math.round(attempts / hours)))} an hour`;
}
