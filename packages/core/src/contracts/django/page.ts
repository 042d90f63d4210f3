import { z } from "zod";
import { BelfryError } from "../../foundation/errors.ts";
import type { JsonObject, JsonValue } from "../../foundation/json.ts";
import type { HttpRequest } from "../../http/messages.ts";
import { splitUrl, timestamp } from "../../http/parameters.ts";
import { bytesOfText, type InboxItem, type ListForm, type StoredItem } from "../../inbox/index.ts";
import { type NotificationTypes, typeLabel } from "../../notifications/index.ts";
import { isoDate, isoDateOrNull } from "../iso-date.ts";

const relatedId = z.int().nullable();

/** An inbox item in the `django` contract: AppNotification in its document. */
export const itemSchema = z
  .object({
    id: z.int().meta({ description: "The item's number in its owner's inbox" }),
    notification_type: z.string(),
    notification_type_display: z.string(),
    title: z.string(),
    message: z.string(),
    related_order_id: relatedId,
    related_product_id: relatedId,
    related_review_id: relatedId,
    related_comment_id: relatedId,
    is_read: z.boolean(),
    read_at: timestamp.nullable(),
    created_at: timestamp,
  })
  .meta({ id: "AppNotification" });

/** What the contract shows of an inbox item. */
type ShownItem = Pick<InboxItem, "seq" | "type" | "title" | "message" | "data" | "readAt" | "createdAt">;

/** The items of a list, each as JSON, and how many there are in all. */
export interface WrittenList {
  readonly matching: number;
  readonly items: readonly string[];
}

/** The form of a list: its items as the contract shows them. */
export function listForm(types: NotificationTypes): ListForm<StoredItem, WrittenList> {
  return {
    name: "django",
    make: ({ items, matching }) => ({ matching, items: items.map((item) => JSON.stringify(renderItem(shownItem(item), types))) }),
    bytesOf: ({ items }) => items.reduce((bytes, text) => bytes + bytesOfText(text), 0),
  };
}

function shownItem({ dataJson, createdAtMs, readAtMs, ...item }: StoredItem): ShownItem {
  const times = { createdAt: new Date(createdAtMs), readAt: readAtMs === null ? null : new Date(readAtMs) };
  return { ...item, ...times, data: JSON.parse(dataJson) as JsonObject };
}

/** Renders an inbox item for the contract. */
export function renderItem(item: ShownItem, types: NotificationTypes): z.infer<typeof itemSchema> {
  return {
    id: item.seq,
    notification_type: item.type,
    notification_type_display: typeLabel(types, item.type),
    title: item.title,
    message: item.message,
    related_order_id: related(item, "related_order_id"),
    related_product_id: related(item, "related_product_id"),
    related_review_id: related(item, "related_review_id"),
    related_comment_id: related(item, "related_comment_id"),
    is_read: item.readAt !== null,
    read_at: isoDateOrNull(item.readAt),
    created_at: isoDate(item.createdAt),
  };
}

/** Returns a related id from the data: a whole number, also one that is written as a text of digits. Any other value is no id. */
function related(item: ShownItem, key: string): number | null {
  const value: JsonValue | undefined = Object.hasOwn(item.data, key) ? item.data[key] : undefined;
  const id = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return typeof id === "number" && Number.isSafeInteger(id) ? id : null;
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
