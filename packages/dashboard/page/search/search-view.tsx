import type { ActivityPage, ActivitySummary } from "@belfry/core";
import type { RefObject } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { Chips } from "../parts/chips.tsx";
import { Button } from "../parts/fields.tsx";
import { More, NewerNote } from "../parts/more.tsx";
import { Empty, FailureNote, Loading } from "../parts/states.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { get } from "../state/api.ts";
import { number } from "../state/format.ts";
import { useFrames } from "../state/frames.ts";
import { useLiveEvents, useRevision } from "../state/live.ts";
import type { LiveEvent } from "../state/live-connection.ts";
import { paced } from "../state/pace.ts";
import { type Page, type Pages, usePages } from "../state/pages.ts";
import { go, placeUrl } from "../state/place.ts";
import { useMay } from "../state/session.ts";
import { FilterForm } from "./filter-form.tsx";
import { filterWords } from "./filter-words.ts";
import { mayMatch } from "./may-match.ts";
import { Presets } from "./presets.tsx";
import { ResultCount } from "./result-count.tsx";
import { ResultTable } from "./result-table.tsx";
import { RetryAllDialog } from "./retry-all-dialog.tsx";
import { absolute, readFilter, readForm, type SearchFilter } from "./search-filter.ts";
import { SendTestDialog } from "./send-test-dialog.tsx";

/** The view loads the newest results at most this often, however fast they change. */
const REFRESH_MS = 1_000;

type Summary = Json<ActivitySummary>;
type Found = Pages<Summary, Page<Summary>>;

/** Finds notifications of every kind. The filters are in the address, so a search can be shared. */
export function SearchView({ params }: { readonly params: URLSearchParams }) {
  const filter = readFilter(params);
  // A span back from now begins at one time for all pages of the list.
  const asked = useMemo(() => absolute(filter, Date.now()), [JSON.stringify(filter)]);
  const matters = (event: LiveEvent) => event.name === "notification" && mayMatch(asked, event.data.notification);
  const found = useFound(asked, matters);
  const { value, failure, reload } = found.shown;
  const form = useRef<HTMLFormElement>(null);
  const onSearch = (chosen: SearchFilter) => go(placeUrl("search", chosen));
  const words = filterWords(filter);
  return (
    <>
      <ViewTitle title="Search" tab={["Search", ...words.map(([, text]) => text)].join(" · ")}>
        <SearchActions form={form} filter={filter} asked={asked} onSearch={onSearch} />
      </ViewTitle>
      <section class="card">
        <Presets filter={filter} />
        <FilterForm form={form} filter={filter} onSearch={onSearch} />
        <Chips chips={words} onRemove={(name) => onSearch({ ...filter, [name]: undefined })} />
      </section>
      <section class="card" aria-label="Results">
        <FailureNote failure={failure} what="The search failed." onRetry={reload} />
        <NewerNote pages={found} />
        <Results found={found} filter={asked} matters={matters} />
        <More pages={found} shown={number(value?.items.length ?? 0)} />
      </section>
    </>
  );
}

/** The results. Events change the lines on show; the newest ones are loaded anew, and older ones stay. */
function useFound(filter: SearchFilter, matters: (event: LiveEvent) => boolean): Found {
  const pace = useRef(REFRESH_MS);
  const revision = useRevision(matters, pace.current);
  const source = {
    first: paced((signal) => page(filter, signal), pace, REFRESH_MS),
    after: (cursor: string, signal?: AbortSignal) => page({ ...filter, cursor, limit: "100" }, signal),
    keyOf: ({ id }: Summary) => id,
  };
  const found = usePages<Summary, Page<Summary>>(JSON.stringify(filter), source, revision);
  const changeLater = useFrames<Summary>((summaries) => {
    const changed = new Map(summaries.map((summary) => [summary.id, summary]));
    found.change((summary) => {
      const now = changed.get(summary.id) ?? summary;
      return now === summary || mayMatch(filter, now) ? now : null;
    });
  });
  useLiveEvents((event) => {
    if (event.name === "notification") {
      changeLater(event.data.notification);
    }
  });
  return found;
}

async function page(query: Readonly<Record<string, string | undefined>>, signal?: AbortSignal): Promise<Page<Summary>> {
  const { notifications, nextCursor } = await get<Json<ActivityPage>>("activity", query, signal);
  return { items: notifications, nextCursor };
}

interface SearchActionsProps {
  readonly form: RefObject<HTMLFormElement>;
  readonly filter: SearchFilter;
  /** The filter as the API takes it. */
  readonly asked: SearchFilter;
  onSearch(filter: SearchFilter): void;
}

function SearchActions({ form, filter, asked, onSearch }: SearchActionsProps) {
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
      {open === "retry" ? <RetryAllDialog filter={asked} onClose={close} /> : null}
      {open === "test" ? <SendTestDialog onClose={close} /> : null}
    </>
  );
}

interface ResultsProps {
  readonly found: Found;
  readonly filter: SearchFilter;
  matters(event: LiveEvent): boolean;
}

function Results({ found, filter, matters }: ResultsProps) {
  const { value, failure } = found.shown;
  if (value === null) {
    return failure === null ? <Loading what="results" rows={6} /> : null;
  }
  if (value.items.length === 0) {
    return Object.keys(filter).length > 0 ? (
      <Empty title="Nothing matches">
        Users, types and channels have to match whole. Take a filter away, or <a href={placeUrl("search")}>look at everything</a>.
      </Empty>
    ) : (
      <Empty title="No notifications yet">What is created, sent or pushed in is found here.</Empty>
    );
  }
  return (
    <>
      <ResultCount filter={filter} shown={value.items.length} hasMore={found.hasMore || found.hasGap} matters={matters} />
      <ResultTable results={value.items} />
    </>
  );
}
