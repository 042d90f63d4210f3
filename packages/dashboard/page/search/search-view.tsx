import type { ActivityPage, ActivitySummary } from "@belfry/core";
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { Button } from "../parts/fields.tsx";
import { Empty, FailureNote, Loading } from "../parts/states.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { announce } from "../state/announcements.ts";
import { get } from "../state/api.ts";
import { counted, number } from "../state/format.ts";
import { useRevision } from "../state/live.ts";
import { type Page, usePages } from "../state/pages.ts";
import { go, placeUrl } from "../state/place.ts";
import type { Resource } from "../state/resource.ts";
import { useMay } from "../state/session.ts";
import { FilterForm } from "./filter-form.tsx";
import { ResultTable } from "./result-table.tsx";
import { RetryAllDialog } from "./retry-all-dialog.tsx";
import { readFilter, readForm, type SearchFilter } from "./search-filter.ts";
import { SendTestDialog } from "./send-test-dialog.tsx";

/** The server counts no further than this. */
const COUNT_LIMIT = 10_000;

/** The view loads the results at most this often, however fast they change. */
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
  const source = {
    first: (signal: AbortSignal) => search(filter, signal),
    after: (cursor: string, signal: AbortSignal) => page(filter, cursor, signal),
  };
  const pages = usePages<Summary, Found>(key, source, revision);
  const { value, failure, reload } = pages.shown;
  useEffect(() => {
    if (value !== null) {
      announce(`${countedUp(value.count)} found.`);
    }
  }, [key, value === null]);
  const form = useRef<HTMLFormElement>(null);
  const onSearch = (chosen: SearchFilter) => go(placeUrl("search", chosen));
  return (
    <>
      <ViewTitle title="Search">
        <SearchActions form={form} filter={filter} onSearch={onSearch} />
      </ViewTitle>
      <section class="card">
        <FilterForm form={form} filter={filter} onSearch={onSearch} />
      </section>
      <section class="card" aria-label="Results">
        <FailureNote failure={failure} what="The search failed." onRetry={reload} />
        <Results found={pages.shown} isFiltered={key !== "{}"} />
        {pages.hasMore ? (
          <div class="more">
            <Button isBusy={pages.isLoadingMore} onPress={pages.more}>
              Show older
            </Button>
            <span class="muted">{number(value?.items.length ?? 0)} shown</span>
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

async function page(filter: SearchFilter, cursor: string, signal: AbortSignal): Promise<Page<Summary>> {
  const { notifications, nextCursor } = await get<Json<ActivityPage>>("activity", { ...filter, cursor, limit: 100 }, signal);
  return { items: notifications, nextCursor };
}

/** A count as text. Counting stops at a limit, so at the limit there may be more. */
function countedUp(count: number): string {
  return count >= COUNT_LIMIT ? `${number(COUNT_LIMIT)} or more notifications` : counted(count, "notification");
}

interface SearchActionsProps {
  readonly form: RefObject<HTMLFormElement>;
  readonly filter: SearchFilter;
  onSearch(filter: SearchFilter): void;
}

function SearchActions({ form, filter, onSearch }: SearchActionsProps) {
  const [open, setOpen] = useState<"retry" | "test" | null>(null);
  const [maySend, mayRetry] = [useMay("send"), useMay("retry")];
  const close = () => setOpen(null);
  const retry = () => {
    // The form's filters apply even before a search: they are what the person sees.
    const chosen = form.current === null ? filter : readForm(form.current, filter);
    if (JSON.stringify(chosen) !== JSON.stringify(filter)) {
      onSearch(chosen);
    }
    setOpen("retry");
  };
  return (
    <>
      {maySend ? <Button onPress={() => setOpen("test")}>Send a test…</Button> : null}
      {mayRetry ? <Button onPress={retry}>Retry what failed…</Button> : null}
      {open === "retry" ? <RetryAllDialog filter={filter} onClose={close} /> : null}
      {open === "test" ? <SendTestDialog onClose={close} /> : null}
    </>
  );
}

interface ResultsProps {
  readonly found: Resource<Found>;
  readonly isFiltered: boolean;
}

function Results({ found: { value, failure }, isFiltered }: ResultsProps) {
  if (value === null) {
    return failure === null ? <Loading what="results" rows={6} /> : null;
  }
  if (value.items.length === 0) {
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
        {countedUp(value.count)}
        {isFiltered ? " match" : ""}
      </p>
      <ResultTable results={value.items} />
    </>
  );
}
