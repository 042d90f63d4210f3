/** The filters of a search, by the name they have in the address and in the API. */
export const FILTER_NAMES = ["id", "recipient", "type", "channel", "kind", "status", "from", "before"] as const;

/** The filters of a search as texts; what does not filter is missing. Times are ISO 8601: they mean the same to every reader. */
export type SearchFilter = Readonly<Partial<Record<(typeof FILTER_NAMES)[number], string>>>;

/** Reads the filters from an address or a form. */
export function readFilter(fields: Iterable<readonly [string, unknown]>): SearchFilter {
  const given = [...fields].map(([name, value]) => [name, String(value).trim()] as const);
  const filter = Object.fromEntries(given.filter(([name, value]) => value !== "" && (FILTER_NAMES as readonly string[]).includes(name)));
  return { ...filter, ...isoTime("from", filter.from), ...isoTime("before", filter.before) };
}

/** Reads the filters from the form that shows `filter`. A field holds whole minutes: one that was left alone keeps its seconds. */
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

/** A time as the reader's own clock has it, for a field of a form; "" for one that no such field can hold. */
export function localTime(iso: string | undefined): string {
  const date = new Date(iso ?? "");
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return Number.isNaN(shifted.getTime()) ? "" : shifted.toISOString().slice(0, 16);
}

/** A time without a zone, as a form has it, is the reader's own. What is no time goes to the server, which says so. */
function isoTime(name: "from" | "before", time: string | undefined): SearchFilter {
  const date = new Date(time ?? "");
  return time === undefined || Number.isNaN(date.getTime()) ? {} : { [name]: date.toISOString() };
}
