import type { AuditEntry } from "@belfry/core";
import type { AuditPage, Json } from "../../src/wire.ts";
import { More, NewerNote } from "../parts/more.tsx";
import { Empty, FailureNote, Loading } from "../parts/states.tsx";
import { ViewTitle } from "../parts/view-title.tsx";
import { get } from "../state/api.ts";
import { counted } from "../state/format.ts";
import { useRevision } from "../state/live.ts";
import { type Page, usePages } from "../state/pages.ts";
import { go, placeUrl } from "../state/place.ts";
import type { Resource } from "../state/resource.ts";
import { type AuditFilter, readFilter } from "./audit-filter.ts";
import { AuditTable } from "./audit-table.tsx";
import { FilterForm } from "./filter-form.tsx";

/** The view loads the lines at most this often, however much happens. */
const REFRESH_MS = 2_000;

type Line = Json<AuditEntry>;

/** Who did what, also to what is gone. The filters are in the address, so a list can be shared. */
export function AuditView({ params }: { readonly params: URLSearchParams }) {
  const filter = readFilter(params);
  const key = JSON.stringify(filter);
  const revision = useRevision((event) => event.name === "notification", REFRESH_MS);
  const source = {
    first: (signal: AbortSignal) => page({ ...filter }, signal),
    after: (before: string, signal?: AbortSignal) => page({ ...filter, before, limit: 100 }, signal),
    keyOf: ({ number }: Line) => String(number),
  };
  const pages = usePages<Line, Page<Line>>(key, source, revision);
  const { value, failure, reload } = pages.shown;
  return (
    <>
      <ViewTitle title="Audit" />
      <section class="card">
        <FilterForm filter={filter} onSearch={(chosen) => go(placeUrl("audit", chosen))} />
      </section>
      <section class="card" aria-label="Lines">
        <NewerNote pages={pages} />
        <FailureNote failure={failure} what="The audit log could not be loaded." onRetry={reload} />
        <Found found={pages.shown} isFiltered={key !== "{}"} />
        <More pages={pages} shown={counted(value?.items.length ?? 0, "line")} />
      </section>
    </>
  );
}

async function page(query: AuditFilter & { readonly before?: string; readonly limit?: number }, signal?: AbortSignal): Promise<Page<Line>> {
  const { lines, before } = await get<Json<AuditPage>>("audit", query, signal);
  return { items: lines, nextCursor: before === null ? null : String(before) };
}

function Found({ found: { value, failure }, isFiltered }: { readonly found: Resource<Page<Line>>; readonly isFiltered: boolean }) {
  if (value === null) {
    return failure === null ? <Loading what="the audit log" rows={6} /> : null;
  }
  if (value.items.length === 0) {
    return isFiltered ? (
      <Empty title="Nothing matches">
        Names and ids have to match whole. Take a filter away, or <a href={placeUrl("audit")}>look at everything</a>.
      </Empty>
    ) : (
      <Empty title="Nobody has done anything yet">What people and programs do to notifications and users is written here.</Empty>
    );
  }
  return <AuditTable lines={value.items} />;
}
