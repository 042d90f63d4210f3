import { BelfryError } from "../../foundation/errors.ts";
import type { HttpRequest } from "../../http/messages.ts";
import { splitUrl } from "../../http/split-url.ts";

const PAGE_SIZE = 20;
const MAX_PAGE_SIZE = 100;

/** Returns the page size by Django REST framework's rules: 20 if the parameter is not a positive number, and at most 100. */
export function pageSize(parameter: string | undefined): number {
  const size = /^\d{1,9}$/.test(parameter ?? "") ? Number(parameter) : 0;
  return size === 0 ? PAGE_SIZE : Math.min(size, MAX_PAGE_SIZE);
}

/** Returns the number of pages for `count` items. An empty list has one page. */
export function pageCount(count: number, size: number): number {
  return Math.max(1, Math.ceil(count / size));
}

/** Returns the requested page number, or null for a text that is never a page. */
export function pageNumber(parameter: string | undefined): number | "last" | null {
  if (parameter === undefined || parameter === "last") {
    return parameter === undefined ? 1 : "last";
  }
  const page = /^\d{1,12}$/.test(parameter) ? Number(parameter) : 0;
  return page === 0 ? null : page;
}

/** Returns the error for an invalid page. */
export function invalidPage(): BelfryError {
  return new BelfryError("NOT_FOUND", "Invalid page.");
}

/** Returns the relative link to another page of the same list. It keeps all other query parameters. */
export function pageLink(request: HttpRequest, page: number): string {
  const { path, search } = splitUrl(request.url);
  const query = new URLSearchParams(search);
  query.set("page", String(page));
  return `${request.mountPath ?? ""}${path}?${query}`;
}
