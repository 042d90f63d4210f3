import { BelfryError } from "../../foundation/errors.ts";
import type { JsonObject } from "../../foundation/json.ts";
import type { HttpRequest } from "../../http/messages.ts";
import { splitUrl } from "../../http/parameters.ts";
import { bytesOfText, type ListForm, type StoredItem } from "../../inbox/index.ts";
import type { NotificationTypes } from "../../notifications/index.ts";
import { type DjangoItemSource, djangoItem } from "./item.ts";

/** The items of a list, each as JSON, and how many there are in all. */
export interface WrittenList {
  readonly matching: number;
  readonly items: readonly string[];
}

/** The form of a list: its items as the contract shows them. */
export function listForm(types: NotificationTypes): ListForm<StoredItem, WrittenList> {
  return {
    name: "django",
    make: ({ items, matching }) => ({ matching, items: items.map((item) => JSON.stringify(djangoItem(shownItem(item), types))) }),
    bytesOf: ({ items }) => items.reduce((bytes, text) => bytes + bytesOfText(text), 0),
  };
}

function shownItem({ dataJson, createdAtMs, readAtMs, ...item }: StoredItem): DjangoItemSource {
  const times = { createdAt: new Date(createdAtMs), readAt: readAtMs === null ? null : new Date(readAtMs) };
  return { ...item, ...times, data: JSON.parse(dataJson) as JsonObject };
}

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
  if (parameter === undefined || parameter === "") {
    return 1;
  }
  if (parameter === "last") {
    return parameter;
  }
  const page = /^\d{1,12}$/.test(parameter) ? Number(parameter) : 0;
  return page === 0 ? null : page;
}

/** Returns the error for an invalid page. */
export function invalidPage(): BelfryError {
  return new BelfryError("NOT_FOUND", "Invalid page.");
}

/** What the links to other pages begin with. */
export type LinkStyle = "paths" | "absolute" | URL;

/** Returns the link to another page of the same list. It keeps all other query parameters. */
export function pageLink(request: HttpRequest, page: number, links: LinkStyle): string {
  const { path, search } = splitUrl(request.url);
  const query = new URLSearchParams(search);
  query.set("page", String(page));
  return `${linkStart(request, links)}${request.mountPath ?? ""}${path}?${query}`;
}

/** What stands before the path of a link: an address without a slash at its end, or nothing. */
function linkStart(request: HttpRequest, links: LinkStyle): string {
  if (links === "paths") {
    return "";
  }
  if (links !== "absolute") {
    return `${links.origin}${links.pathname.replace(/\/+$/, "")}`;
  }
  const origin = request.origin?.() ?? "";
  // The client named the host: only what is a host gets into a link.
  return URL.canParse(origin) ? new URL(origin).origin : "";
}
