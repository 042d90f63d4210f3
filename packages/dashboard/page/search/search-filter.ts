import { givenTexts } from "../parts/form-values.ts";

/** The names of a search's filters, in the address. */
export const FILTER_NAMES = [
  ...(["recipientPrefix", "recipient", "user", "type", "channel", "kind", "status", "state"] as const),
  ...(["error", "providerId", "idempotencyKey", "since", "from", "before", "id"] as const),
] as const;

/**
 * The filters of a search as texts; unused ones are missing. Times are ISO 8601, so that they mean the same to every reader; `since` is a
 * span back from now, so that a saved search stays up to date.
 */
export type SearchFilter = Readonly<Partial<Record<(typeof FILTER_NAMES)[number], string>>>;

/** The spans of `since`, in milliseconds. */
const SPANS: Readonly<Record<string, number>> = { "1h": 3_600_000, "24h": 86_400_000, "7d": 7 * 86_400_000 };

/** Reads the filters from an address or a form. */
export function readFilter(fields: Iterable<readonly [string, unknown]>): SearchFilter {
  const filter: SearchFilter = givenTexts(fields, FILTER_NAMES);
  return { ...filter, ...isoTime("from", filter.from), ...isoTime("before", filter.before) };
}

/**
 * Reads the filters from the form that shows `filter`. A time field holds whole minutes; an unchanged one keeps its seconds. A recipient that
 * has to match whole keeps doing so while it is unchanged.
 */
export function readForm(form: HTMLFormElement, filter: SearchFilter): SearchFilter {
  const fields = new FormData(form);
  for (const name of ["from", "before"] as const) {
    const kept = filter[name];
    if (kept !== undefined && fields.get(name) === localTime(kept)) {
      fields.set(name, kept);
    }
  }
  if (filter.recipient !== undefined && fields.get("recipientPrefix") === filter.recipient) {
    fields.delete("recipientPrefix");
    fields.set("recipient", filter.recipient);
  }
  if (filter.since !== undefined && fields.get("from") === "") {
    fields.set("since", filter.since);
  }
  return readFilter(fields);
}

/** The values of the form's fields for a filter. */
export function formValues(filter: SearchFilter): Readonly<Record<string, string>> {
  const texts = Object.fromEntries(FILTER_NAMES.map((name) => [name, filter[name] ?? ""]));
  const recipientPrefix = filter.recipientPrefix ?? filter.recipient ?? "";
  return { ...texts, recipientPrefix, from: localTime(filter.from), before: localTime(filter.before) };
}

/** The filters as the API takes them: a span back from `nowMs` becomes a time. */
export function absolute({ since, ...filter }: SearchFilter, nowMs: number): SearchFilter {
  const span = SPANS[since ?? ""];
  return span === undefined || filter.from !== undefined ? filter : { ...filter, from: new Date(nowMs - span).toISOString() };
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
