import type { RecordSummary } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import { Button } from "../parts/fields.tsx";
import { Link } from "../parts/link.tsx";
import { Status } from "../parts/status.tsx";
import { Time } from "../parts/time.tsx";
import { counted } from "../state/format.ts";
import { placeUrl } from "../state/place.ts";
import { useMay } from "../state/session.ts";

type Found = Json<RecordSummary>;

interface RecordTableProps {
  readonly records: readonly Found[];
  onRetry(record: Found): void;
}

/** Processing records, one a line; on narrow screens one a card. */
export function RecordTable({ records, onRetry }: RecordTableProps) {
  const mayRetry = useMay("retry");
  return (
    <table class="results">
      <thead>
        <tr>
          <th scope="col">Event</th>
          <th scope="col">State</th>
          <th scope="col">Prompt</th>
          <th scope="col">Source</th>
          <th scope="col">Made</th>
          {mayRetry ? <th scope="col">Action</th> : null}
        </tr>
      </thead>
      <tbody>
        {records.map((record) => (
          <tr key={record.id}>
            <th scope="row">
              <Link to={placeUrl("notification", { id: record.notificationId })}>{record.excerpt || "(empty)"}</Link>
            </th>
            <td>
              <State record={record} />
            </td>
            <td>
              <span class="excerpt" title={record.prompt}>
                {record.prompt}
              </span>
            </td>
            <td>
              <bdi>{record.source}</bdi>, <bdi>{record.sender}</bdi>
            </td>
            <td>
              <Time date={record.createdAt} />
            </td>
            {mayRetry ? (
              <td>
                <Again record={record} onRetry={onRetry} />
              </td>
            ) : null}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function State({ record: { state, attempt, dueAt, error } }: { readonly record: Found }) {
  return (
    <>
      <Status status={state} />
      {state === "retrying" && dueAt !== null ? (
        <span class="excerpt">
          after {counted(attempt, "attempt")}, <Time date={dueAt} />
        </span>
      ) : null}
      {error === null ? null : (
        <span class="excerpt" title={error}>
          {error}
        </span>
      )}
    </>
  );
}

function Again({ record, onRetry }: { readonly record: Found; onRetry(record: Found): void }) {
  const { state, excerpt } = record;
  return state === "failed" || state === "retrying" ? (
    <Button label={`${state === "failed" ? "Run again" : "Run now"}: ${excerpt}`} onPress={() => onRetry(record)}>
      {state === "failed" ? "Run again" : "Run now"}
    </Button>
  ) : null;
}
