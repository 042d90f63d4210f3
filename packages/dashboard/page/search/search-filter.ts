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

/** A time as the reader's own clock has it, for a field of a form. */
export function localTime(iso: string | undefined): string {
  const date = new Date(iso ?? "");
  if (Number.isNaN(date.getTime())) {
    return "";
  }
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** A time without a zone, as a form has it, is the reader's own. What is no time goes to the server, which says so. */
function isoTime(name: "from" | "before", time: string | undefined): SearchFilter {
  const date = new Date(time ?? "");
  return time === undefined || Number.isNaN(date.getTime()) ? {} : { [name]: date.toISOString() };
}
