import { Link } from "../parts/link.tsx";
import { placeUrl } from "../state/place.ts";
import type { SearchFilter } from "./search-filter.ts";

/** What people look for most. */
const PRESETS: readonly (readonly [words: string, filter: SearchFilter])[] = [
  ["Failed in the last hour", { state: "failed", since: "1h" }],
  ["Retrying now", { state: "retrying" }],
  ["Held back", { state: "held" }],
  ["Due now", { state: "due" }],
  ["Skipped in the last day", { state: "skipped", since: "24h" }],
  ["Events of the last hour", { kind: "event", since: "1h" }],
];

/** Searches at a press. They are links: each has an address of its own. */
export function Presets({ filter }: { readonly filter: SearchFilter }) {
  return (
    <nav aria-label="Searches">
      <ul class="chips">
        {PRESETS.map(([words, preset]) => (
          <li key={words}>
            <Link to={placeUrl("search", preset)} class="chip" isCurrent={isSame(preset, filter)}>
              {words}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function isSame(one: SearchFilter, other: SearchFilter): boolean {
  const sorted = (filter: SearchFilter) => JSON.stringify(Object.entries(filter).sort());
  return sorted(one) === sorted(other);
}
