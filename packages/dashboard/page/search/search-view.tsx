import type { ActivityPage, ActivitySummary } from "@belfry/core";
import { useEffect, useState } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { Button } from "../parts/fields.tsx";
import { Empty, FailureNote, Loading } from "../parts/states.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { announce } from "../state/announcements.ts";
import { get } from "../state/api.ts";
import { counted, number } from "../state/format.ts";
import { useRevision } from "../state/live.ts";
import { type Page, useOlderPages } from "../state/older-pages.ts";
import { go, placeUrl } from "../state/place.ts";
import { type Resource, useResource } from "../state/resource.ts";
import { useSession } from "../state/session.ts";
import { FilterForm } from "./filter-form.tsx";
import { ResultTable } from "./result-table.tsx";
import { RetryAllDialog } from "./retry-all-dialog.tsx";
import { readFilter, type SearchFilter } from "./search-filter.ts";
import { SendTestDialog } from "./send-test-dialog.tsx";

/** What counting stops at. */
const COUNT_LIMIT = 10_000;

/** Results change often while much is sent; so often are they asked for. */
const REFRESH_MS = 1_000;

type Summary = Json<ActivitySummary>;

interface Found extends Page<Summary> {
  readonly count: number;
}

/** Finds notifications of every kind. The filters are in the address, so a search can be shared. */
export function SearchView({ params }: { readonly params: URLSearchParams }) {
  const filter = readFilter(params);
  const key = JSON.stringify(filter);
  const revision = useRevision((event) => event.name === "notification", REFRESH_MS);
  const found = useResource(key, (signal) => search(filter, signal), revision);
  useEffect(() => {
    if (found.value !== null) {
      announce(`${counted(found.value.count, "notification")} found.`);
    }
  }, [key, found.value === null]);
  const older = useOlderPages(key, found.value, (cursor) => page(filter, cursor));
  const results = [...new Map([...older.items, ...(found.value?.items ?? [])].map((one) => [one.id, one])).values()];
  results.sort((one, other) => (one.id < other.id ? 1 : -1));
  return (
    <>
      <ViewTitle title="Search">
        <SearchActions filter={filter} />
      </ViewTitle>
      <section class="card">
        <FilterForm key={key} filter={filter} onSearch={(chosen) => go(placeUrl("search", chosen))} />
      </section>
      <section class="card" aria-label="Results">
        <FailureNote failure={found.failure} what="The search failed." onRetry={found.reload} />
        <Results found={found} results={results} isFiltered={key !== "{}"} />
        <FailureNote failure={older.failure} what="Older notifications could not be loaded." />
        {older.hasMore ? (
          <div class="more">
            <Button isBusy={older.isLoading} onPress={older.more}>
              Show older
            </Button>
            <span class="muted">{number(results.length)} shown</span>
          </div>
        ) : null}
      </section>
    </>
  );
}

async function search(filter: SearchFilter, signal: AbortSignal): Promise<Found> {
  const [first, { count }] = await Promise.all([
    get<Json<ActivityPage>>("activity", filter, signal),
    get<{ count: number }>("activity-count", filter, signal),
  ]);
  return { items: first.notifications, nextCursor: first.nextCursor, count };
}

async function page(filter: SearchFilter, cursor: string): Promise<Page<Summary>> {
  const { notifications, nextCursor } = await get<Json<ActivityPage>>("activity", { ...filter, cursor });
  return { items: notifications, nextCursor };
}

function SearchActions({ filter }: { readonly filter: SearchFilter }) {
  const [open, setOpen] = useState<"retry" | "test" | null>(null);
  if (!useSession().act) {
    return null;
  }
  const close = () => setOpen(null);
  return (
    <>
      <Button onPress={() => setOpen("test")}>Send a test…</Button>
      <Button onPress={() => setOpen("retry")}>Retry what failed…</Button>
      {open === "retry" ? <RetryAllDialog filter={filter} onClose={close} /> : null}
      {open === "test" ? <SendTestDialog onClose={close} /> : null}
    </>
  );
}

interface ResultsProps {
  readonly found: Resource<Found>;
  readonly results: readonly Summary[];
  readonly isFiltered: boolean;
}

function Results({ found: { value, failure }, results, isFiltered }: ResultsProps) {
  if (value === null) {
    return failure === null ? <Loading what="results" rows={6} /> : null;
  }
  if (results.length === 0) {
    return isFiltered ? (
      <Empty title="Nothing matches">
        Recipients, types and channels have to match whole. Take a filter away, or <a href={placeUrl("search")}>look at everything</a>.
      </Empty>
    ) : (
      <Empty title="No notifications yet">What is created, sent or pushed in is found here.</Empty>
    );
  }
  return (
    <>
      <p class="muted count" data-testid="count">
        {value.count >= COUNT_LIMIT ? `More than ${number(COUNT_LIMIT)} notifications` : counted(value.count, "notification")}
        {isFiltered ? " match" : ""}
      </p>
      <ResultTable results={results} />
    </>
  );
}
