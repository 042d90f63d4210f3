import { useEffect, useState } from "preact/hooks";

/** The page's views. */
export const VIEWS = [
  ...(["inbox", "search", "health", "endpoints", "live", "suppressions", "records", "audit", "user", "notification"] as const),
] as const;
export type View = (typeof VIEWS)[number];

/** The contents of the page's address: a view and its parameters. People can share every address. */
export interface Place {
  readonly view: View;
  readonly params: URLSearchParams;
}

/** The tenant that the page's address names; undefined for the reader's own. Another one is another load of the page. */
export const TENANT = new URLSearchParams(location.search).get("tenant") ?? undefined;

const moved = new EventTarget();
addEventListener("popstate", () => moved.dispatchEvent(new Event("moved")));

function here(): Place {
  const params = new URLSearchParams(location.search);
  const named = params.get("view");
  return { view: VIEWS.find((view) => view === named) ?? "inbox", params };
}

/** The relative address of a view. It is only a query, so it works wherever the page is mounted. */
export function placeUrl(view: View, params: Readonly<Record<string, string | undefined>> = {}): string {
  const named = { ...params, tenant: params.tenant ?? TENANT };
  const given = Object.entries(named).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== "");
  return `?${new URLSearchParams([["view", view], ...given])}`;
}

/** Goes to an address of {@link placeUrl}; `replace` leaves no step in the history. */
export function go(url: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  history[replace ? "replaceState" : "pushState"](null, "", url);
  moved.dispatchEvent(new Event("moved"));
}

/** The present place; it changes with the address. */
export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const onMoved = () => setPlace(here());
    moved.addEventListener("moved", onMoved);
    return () => moved.removeEventListener("moved", onMoved);
  }, []);
  return place;
}
