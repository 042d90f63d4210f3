import type { DeliveryLine, DeliveryLinePage } from "@belfry/core";
import { useState } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { Choices } from "../parts/fields.tsx";
import { More, NewerNote } from "../parts/more.tsx";
import { FailureNote, Loading } from "../parts/states.tsx";
import { get } from "../state/api.ts";
import { counted } from "../state/format.ts";
import { useRevision } from "../state/live.ts";
import { type Page, usePages } from "../state/pages.ts";
import { DeliveryTable, type LinesOf } from "./delivery-table.tsx";

type Line = Json<DeliveryLine>;

/** The card loads the deliveries at most this often, however fast they change. */
const REFRESH_MS = 2_000;

const WHICH = [
  ["all", "All"],
  ["failing", "Failures only"],
] as const;

interface DeliveriesCardProps {
  readonly title: string;
  /** What the deliveries have in common. */
  readonly of: LinesOf;
  /** Where the API has the list. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Which a reader sees first. @default "all" */
  readonly first?: (typeof WHICH)[number][0];
}

/** Deliveries page by page, all of them or failures only. */
export function DeliveriesCard({ title, of, path, query = {}, first = "all" }: DeliveriesCardProps) {
  const [which, setWhich] = useState<string>(first);
  const revision = useRevision((event) => event.name === "notification", REFRESH_MS);
  const wanted = which === "failing" ? { ...query, failing: "true" } : query;
  const source = {
    first: (signal: AbortSignal) => page(path, wanted, signal),
    after: (cursor: string, signal?: AbortSignal) => page(path, { ...wanted, cursor, limit: "100" }, signal),
    keyOf: ({ delivery }: Line) => delivery.id,
  };
  const pages = usePages<Line, Page<Line>>(JSON.stringify([path, wanted]), source, revision);
  const { value, failure, reload } = pages.shown;
  return (
    <section class="card" aria-label={title} data-testid="deliveries">
      <div class="toolbar">
        <h2>{title}</h2>
        <Choices label="Which deliveries" name="which" value={which} options={WHICH} onChoose={setWhich} />
      </div>
      <NewerNote pages={pages} />
      <FailureNote failure={failure} what="The deliveries could not be loaded." onRetry={reload} />
      {value === null ? (
        failure === null ? (
          <Loading what="deliveries" />
        ) : null
      ) : (
        <Lines lines={value.items} of={of} isFailing={which === "failing"} />
      )}
      <More pages={pages} shown={counted(value?.items.length ?? 0, "delivery", "deliveries")} label="Show more" />
    </section>
  );
}

async function page(path: string, query: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Page<Line>> {
  const { deliveries, nextCursor } = await get<Json<DeliveryLinePage>>(path, query, signal);
  return { items: deliveries, nextCursor };
}

interface LinesProps {
  readonly lines: readonly Line[];
  readonly of: LinesOf;
  readonly isFailing: boolean;
}

function Lines({ lines, of, isFailing }: LinesProps) {
  if (lines.length === 0) {
    return <p class="muted">{isFailing ? "Nothing failed, and nothing is tried again." : "Nothing was delivered over any channel."}</p>;
  }
  return <DeliveryTable lines={lines} of={of} />;
}
