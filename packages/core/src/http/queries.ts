import { setNewest } from "../foundation/bounds.ts";
import { splitUrl } from "./parameters.ts";
import { validate } from "./read-json.ts";
import type { Route } from "./route.ts";

/** The most queries of a route that are remembered, and the longest. */
const MAX_QUERIES = 100;
const MAX_LENGTH = 100;

/** Parses the query. The last value of a repeated parameter wins, as in the frameworks that the contracts' documents name. */
export function queryOf(url: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(splitUrl(url).search));
}

/** Checks the queries of requests by the schemas of their routes, and remembers those that come again and again. */
export class Queries {
  readonly #known = new Map<Route, Map<string, unknown>>();

  /** The parsed query of a request. @throws BelfryError `VALIDATION_ERROR` */
  of(route: Route, url: string): unknown {
    if (route.query === undefined) {
      return undefined;
    }
    const { search } = splitUrl(url);
    if (route.isQueryRemembered !== true || search.length > MAX_LENGTH) {
      return validate(route.query, queryOf(url), "query");
    }
    const known = this.#known.get(route) ?? new Map<string, unknown>();
    const found = known.get(search) ?? Object.freeze(validate<unknown>(route.query, queryOf(url), "query"));
    if (!known.has(search)) {
      this.#known.set(route, known);
      setNewest(known, [search, found], MAX_QUERIES);
    }
    return found;
  }
}
