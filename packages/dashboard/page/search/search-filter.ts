import type { Query } from "../state/api.ts";

/** The filters of a search, by the name they have in the address. */
export const FILTER_NAMES = ["id", "recipient", "type", "channel", "kind", "status", "from", "before"] as const;

/** The filters of a search as texts; what does not filter is missing. */
export type SearchFilter = Readonly<Partial<Record<(typeof FILTER_NAMES)[number], string>>>;

/** Reads the filters from an address or a form. */
export function readFilter(fields: Iterable<readonly [string, unknown]>): SearchFilter {
  const given = [...fields].map(([name, value]) => [name, String(value).trim()] as const);
  return Object.fromEntries(given.filter(([name, value]) => value !== "" && (FILTER_NAMES as readonly string[]).includes(name)));
}

/** The filters as the API takes them. Times without a zone are the reader's own. */
export function filterQuery({ from, before, ...rest }: SearchFilter): Query {
  return { ...rest, from: toIso(from), before: toIso(before) };
}

function toIso(local: string | undefined): string | undefined {
  if (local === undefined) {
    return undefined;
  }
  const date = new Date(local);
  // What is no date goes to the server as it is, whose answer says so.
  return Number.isNaN(date.getTime()) ? local : date.toISOString();
}
