import { BelfryError } from "../../foundation/errors.ts";
import type { HttpRequest } from "../../http/messages.ts";
import { splitUrl } from "../../http/split-url.ts";

const PAGE_SIZE = 20;
const MAX_PAGE_SIZE = 100;

/** The page size that Django REST framework would use: 20 where the parameter is no positive number, 100 at the most. */
export function pageSize(parameter: string | undefined): number {
  const size = /^\d{1,9}$/.test(parameter ?? "") ? Number(parameter) : 0;
  return size === 0 ? PAGE_SIZE : Math.min(size, MAX_PAGE_SIZE);
}

/** How many pages `count` items fill; an empty list has one page. */
export function pageCount(count: number, size: number): number {
  return Math.max(1, Math.ceil(count / size));
}

/** The number of the page asked for; null for what can be no page, whatever the list holds. */
export function pageNumber(parameter: string | undefined): number | "last" | null {
  if (parameter === undefined || parameter === "last") {
    return parameter === undefined ? 1 : "last";
  }
  const page = /^\d{1,12}$/.test(parameter) ? Number(parameter) : 0;
  return page === 0 ? null : page;
}

/** What an invalid page is answered with. */
export function invalidPage(): BelfryError {
  return new BelfryError("NOT_FOUND", "Invalid page.");
}

/** The relative link to another page of the same list; all other query parameters stay. */
export function pageLink(request: HttpRequest, page: number): string {
  const { path, search } = splitUrl(request.url);
  const query = new URLSearchParams(search);
  query.set("page", String(page));
  return `${request.mountPath ?? ""}${path}?${query}`;
}
