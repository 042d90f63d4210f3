import { shortDate } from "../state/format.ts";
import { FILTER_NAMES, type SearchFilter } from "./search-filter.ts";

const SPANS: Readonly<Record<string, string>> = { "1h": "hour", "24h": "24 hours", "7d": "7 days" };

const WORDS: Readonly<Record<(typeof FILTER_NAMES)[number], (value: string) => string>> = {
  recipientPrefix: (value) => `Recipient begins with ${value}`,
  recipient: (value) => `Recipient is ${value}`,
  user: (value) => `User ${value}, at every address`,
  type: (value) => `Type ${value}`,
  channel: (value) => `Channel ${value}`,
  kind: (value) => `Kind ${value}`,
  status: (value) => `Status ${value}`,
  state: (value) => `Any delivery is ${value === "held" ? "held back" : value}`,
  error: (value) => `Error with “${value}”`,
  providerId: (value) => `Provider's id ${value}`,
  idempotencyKey: (value) => `Idempotency key begins with ${value}`,
  since: (value) => `In the last ${SPANS[value] ?? value}`,
  from: (value) => `From ${timeOf(value)}`,
  before: (value) => `Before ${timeOf(value)}`,
  id: (value) => `Id ${value}`,
};

/** The filters in use, each in words. */
export function filterWords(filter: SearchFilter): readonly (readonly [name: keyof SearchFilter, words: string])[] {
  return FILTER_NAMES.flatMap((name) => {
    const value = filter[name];
    return value === undefined ? [] : [[name, WORDS[name](value)] as const];
  });
}

function timeOf(value: string): string {
  return Number.isNaN(Date.parse(value)) ? value : shortDate(value);
}
