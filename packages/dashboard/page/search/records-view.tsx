import type { RecordPage, RecordSummary } from "@belfry/core";
import { useRef } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { More, NewerNote } from "../parts/more.tsx";
import { Empty, FailureNote, Loading } from "../parts/states.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { useAction } from "../state/action.ts";
import { announce } from "../state/announcements.ts";
import { get, post } from "../state/api.ts";
import { counted } from "../state/format.ts";
import { useRevision } from "../state/live.ts";
import { paced } from "../state/pace.ts";
import { type Page, usePages } from "../state/pages.ts";
import { go, placeUrl } from "../state/place.ts";
import type { Resource } from "../state/resource.ts";
import { RecordFilterForm, readRecordFilter } from "./record-filter.tsx";
import { RecordTable } from "./record-table.tsx";

/** The view loads the newest records at most this often, however fast they change. */
const REFRESH_MS = 1_000;

type Found = Json<RecordSummary>;

/** Finds processing records, each with its prompt and its event, and has them run again. The filters are in the address. */
export function RecordsView({ params }: { readonly params: URLSearchParams }) {
  const filter = readRecordFilter(params);
  const key = JSON.stringify(filter);
  const pace = useRef(REFRESH_MS);
  const revision = useRevision((event) => event.name === "notification" && event.data.notification.kind === "event", pace.current);
  const source = {
    first: paced((signal) => page(filter, signal), pace, REFRESH_MS),
    after: (cursor: string, signal?: AbortSignal) => page({ ...filter, cursor }, signal),
    keyOf: ({ id }: Found) => id,
  };
  const pages = usePages<Found, Page<Found>>(key, source, revision);
  const { value, failure, reload } = pages.shown;
  const retry = useAction();
  const onRetry = (record: Found) =>
    void retry.run(async () => {
      await post(`records/${record.id}/retry`);
      announce("It runs again.");
      pages.change((one) => (one.id === record.id ? { ...one, state: "due", attempt: 0 } : one));
      reload();
    });
  return (
    <>
      <ViewTitle title="Processing" />
      <section class="card">
        <RecordFilterForm filter={filter} onSearch={(chosen) => go(placeUrl("records", chosen))} />
      </section>
      <section class="card" aria-label="Records">
        <FailureNote failure={failure} what="The records could not be loaded." onRetry={reload} />
        <FailureNote failure={retry.failure} what="It could not be run again." />
        <NewerNote pages={pages} />
        <Records found={pages.shown} hasMore={pages.hasMore} isFiltered={key !== "{}"} onRetry={onRetry} />
        <More pages={pages} shown={counted(value?.items.length ?? 0, "record")} />
      </section>
    </>
  );
}

async function page(query: Readonly<Record<string, string | undefined>>, signal?: AbortSignal): Promise<Page<Found>> {
  const { records, nextCursor } = await get<Json<RecordPage>>("records", query, signal);
  return { items: records, nextCursor };
}

interface RecordsProps {
  readonly found: Resource<Page<Found>>;
  readonly hasMore: boolean;
  readonly isFiltered: boolean;
  onRetry(record: Found): void;
}

function Records({ found: { value, failure }, hasMore, isFiltered, onRetry }: RecordsProps) {
  if (value === null) {
    return failure === null ? <Loading what="records" rows={6} /> : null;
  }
  if (value.items.length > 0) {
    return <RecordTable records={value.items} onRetry={onRetry} />;
  }
  return isFiltered ? (
    <Empty title={hasMore ? "Nothing among the newest 20,000 matches" : "Nothing matches"}>
      Sources and handlers have to match whole. Take a filter away, or <a href={placeUrl("records")}>look at everything</a>.
    </Empty>
  ) : (
    <Empty title="No events were processed yet">An event that fits a handler is processed, and found here.</Empty>
  );
}
