import type { Suppression, SuppressionPage } from "@belfry/core";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { Button } from "../parts/fields.tsx";
import { keepKeyboard } from "../parts/keyboard.ts";
import { More } from "../parts/more.tsx";
import { Empty, FailureNote, Loading } from "../parts/states.tsx";
import { ViewTitle, viewTitle } from "../parts/view-title.tsx";
import { get } from "../state/api.ts";
import { number } from "../state/format.ts";
import { useRevision } from "../state/live.ts";
import { type Page, usePages } from "../state/pages.ts";
import { go, placeUrl } from "../state/place.ts";
import type { Resource } from "../state/resource.ts";
import { useMay } from "../state/session.ts";
import { LiftDialog } from "./lift-dialog.tsx";
import { SuppressDialog } from "./suppress-dialog.tsx";
import { FilterForm, readFilter, type SuppressionFilter } from "./suppression-filter.tsx";
import { SuppressionTable } from "./suppression-table.tsx";

/** Bounces come with changed notifications; the view loads the list at most this often, however fast they change. */
const REFRESH_MS = 5_000;

/** How many pages are loaded again after a change. Later ones stay as they are. */
const MAX_RELOADED = 10;

type Suppressed = Json<Suppression>;

/** Shows the addresses that nothing is delivered to, and lifts them. The filters are in the address of the page. */
export function SuppressionsView({ params }: { readonly params: URLSearchParams }) {
  const filter = readFilter(params);
  const key = JSON.stringify(filter);
  const revision = useRevision((event) => event.name === "notification", REFRESH_MS);
  const source = {
    first: (signal: AbortSignal) => page({ ...filter }, signal),
    after: (cursor: string, signal?: AbortSignal) => page({ ...filter, cursor, limit: 100 }, signal),
    keyOf: ({ channel, address }: Suppressed) => `${channel} ${address}`,
    // The list is by address: what is new may be on any page.
    reloaded: MAX_RELOADED,
  };
  const pages = usePages<Suppressed, Page<Suppressed>>(key, source, revision);
  const { value, failure, reload } = pages.shown;
  const [lifting, setLifting] = useState<Suppressed | null>(null);
  const onLifted = useKeptKeyboard(value?.items);
  return (
    <>
      <ViewTitle title="Suppressed addresses">
        <SuppressAction onDone={reload} />
      </ViewTitle>
      <section class="card">
        <FilterForm filter={filter} onSearch={(chosen) => go(placeUrl("suppressions", chosen))} />
      </section>
      <section class="card" aria-label="Addresses">
        <FailureNote failure={failure} what="The addresses could not be loaded." onRetry={reload} />
        <Found found={pages.shown} isFiltered={key !== "{}"} onLift={setLifting} />
        <More pages={pages} shown={number(value?.items.length ?? 0)} label="Show more" />
      </section>
      {lifting === null ? null : (
        <LiftDialog
          suppression={lifting}
          onClose={() => setLifting(null)}
          onDone={() => {
            onLifted(lifting);
            reload();
          }}
        />
      )}
    </>
  );
}

async function page(query: SuppressionFilter & { readonly cursor?: string; readonly limit?: number }, signal?: AbortSignal) {
  const { suppressions, nextCursor } = await get<Json<SuppressionPage>>("suppressions", query, signal);
  return { items: suppressions, nextCursor };
}

/** Returns what to call with a lifted address: its line disappears with the button that had the focus, which moves to the view's title. */
function useKeptKeyboard(items: readonly Suppressed[] | undefined): (lifted: Suppressed) => void {
  const awaited = useRef<Suppressed | null>(null);
  useEffect(() => {
    const lifted = awaited.current;
    if (lifted !== null && !items?.some(({ channel, address }) => channel === lifted.channel && address === lifted.address)) {
      awaited.current = null;
      keepKeyboard(viewTitle());
    }
  }, [items]);
  return (lifted) => {
    awaited.current = lifted;
  };
}

function SuppressAction({ onDone }: { onDone(): void }) {
  const [isOpen, setOpen] = useState(false);
  if (!useMay("suppress")) {
    return null;
  }
  return (
    <>
      <Button onPress={() => setOpen(true)}>Suppress an address…</Button>
      {isOpen ? <SuppressDialog onClose={() => setOpen(false)} onDone={onDone} /> : null}
    </>
  );
}

interface FoundProps {
  readonly found: Resource<Page<Suppressed>>;
  readonly isFiltered: boolean;
  onLift(suppression: Suppressed): void;
}

function Found({ found: { value, failure }, isFiltered, onLift }: FoundProps) {
  if (value === null) {
    return failure === null ? <Loading what="addresses" rows={6} /> : null;
  }
  if (value.items.length === 0) {
    return isFiltered ? (
      <Empty title="Nothing matches">
        Addresses of mail are listed in lower case, and channels have to match whole. Take a filter away, or{" "}
        <a href={placeUrl("suppressions")}>look at everything</a>.
      </Empty>
    ) : (
      <Empty title="No address is suppressed">Addresses that bounce for good or complain come here by themselves.</Empty>
    );
  }
  return <SuppressionTable suppressions={value.items} onLift={onLift} />;
}
