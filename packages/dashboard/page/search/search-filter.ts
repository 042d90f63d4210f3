import { givenTexts } from "../parts/form-values.ts";

/** The names of a search's filters, in the address and in the API. */
export const FILTER_NAMES = ["id", "recipient", "type", "channel", "kind", "status", "state", "from", "before"] as const;

/** The filters of a search as texts; unused ones are missing. Times are ISO 8601, so that they mean the same to every reader. */
export type SearchFilter = Readonly<Partial<Record<(typeof FILTER_NAMES)[number], string>>>;

/** Reads the filters from an address or a form. */
export function readFilter(fields: Iterable<readonly [string, unknown]>): SearchFilter {
  const filter: SearchFilter = givenTexts(fields, FILTER_NAMES);
  return { ...filter, ...isoTime("from", filter.from), ...isoTime("before", filter.before) };
}

/** Reads the filters from the form that shows `filter`. A time field holds whole minutes; an unchanged one keeps its seconds. */
export function readForm(form: HTMLFormElement, filter: SearchFilter): SearchFilter {
  const fields = new FormData(form);
  for (const name of ["from", "before"] as const) {
    const kept = filter[name];
    if (kept !== undefined && fields.get(name) === localTime(kept)) {
      fields.set(name, kept);
    }
  }
  return readFilter(fields);
}

/** A time in the reader's own zone, for a field of a form; "" for a time that such a field cannot hold. */
export function localTime(iso: string | undefined): string {
  const date = new Date(iso ?? "");
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return Number.isNaN(shifted.getTime()) ? "" : shifted.toISOString().slice(0, 16);
}

/** Reads a time as ISO 8601; without a zone it is in the reader's own. An invalid text stays in the filter: the server refuses it. */
function isoTime(name: "from" | "before", time: string | undefined): SearchFilter {
  const date = new Date(time ?? "");
  return time === undefined || Number.isNaN(date.getTime()) ? {} : { [name]: date.toISOString() };
}
