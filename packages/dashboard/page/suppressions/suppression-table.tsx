import type { Suppression } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import { Button } from "../parts/fields.tsx";
import { Time } from "../parts/time.tsx";
import { useMay } from "../state/session.ts";
import { REASON_WORDS } from "./suppression-filter.tsx";

type Suppressed = Json<Suppression>;

interface SuppressionTableProps {
  readonly suppressions: readonly Suppressed[];
  onLift(suppression: Suppressed): void;
}

/** Suppressed addresses, one a line; on narrow screens one a card. */
export function SuppressionTable({ suppressions, onLift }: SuppressionTableProps) {
  const mayLift = useMay("suppress");
  return (
    <table class="results">
      <thead>
        <tr>
          <th scope="col">Address</th>
          <th scope="col">Channel</th>
          <th scope="col">Reason</th>
          <th scope="col">By</th>
          <th scope="col">Since</th>
          {mayLift ? <th scope="col">Action</th> : null}
        </tr>
      </thead>
      <tbody>
        {suppressions.map((suppression, index) => (
          <tr key={`${suppression.channel} ${suppression.address || index}`}>
            <th scope="row">
              {suppression.address === "" ? <span class="muted">address of a deleted user</span> : <bdi>{suppression.address}</bdi>}
              {suppression.detail === null ? null : (
                <span class="excerpt" title={suppression.detail}>
                  {suppression.detail}
                </span>
              )}
            </th>
            <td>{suppression.channel}</td>
            <td>{REASON_WORDS[suppression.reason]}</td>
            <td>
              <bdi>{suppression.actor}</bdi>
            </td>
            <td>
              <Time date={suppression.createdAt} />
            </td>
            {mayLift ? (
              <td>
                {suppression.address === "" ? null : (
                  <Button label={`Lift ${suppression.address} over ${suppression.channel}`} onPress={() => onLift(suppression)}>
                    Lift…
                  </Button>
                )}
              </td>
            ) : null}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
