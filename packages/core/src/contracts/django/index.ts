import { z } from "zod";
import { type MembersOf, requireConfiguration, requireOptions } from "../../foundation/issue-list.ts";
import { andThen, type MaybePromise } from "../../foundation/maybe-promise.ts";
import { type Check, shown } from "../../foundation/parse-text.ts";
import { type Contract, defineContract } from "../../http/contract.ts";
import { integer, list, text } from "../../http/parameters.ts";
import { defineRoute, inboxOf, type Reply, type Route, type RouteContext, reply } from "../../http/route.ts";
import type { InboxItem, InboxStatus, StoredListInput } from "../../inbox/index.ts";
import { detailSchema, djangoFailure, invalidDoc } from "./failure.ts";
import { djangoItem, itemSchema } from "./item.ts";
import { invalidPage, type LinkStyle, listForm, pageCount, pageLink, pageNumber, pageSize, type WrittenList } from "./page.ts";
import { booleanField, choiceField, dictionary, integerField, listField, tooLongList } from "./words.ts";

const BASE = "/notifications";
const MAX_BULK = 1_000;

const notFound = { description: "There is no such notification", schema: detailSchema };

const itemParams = z.object({ id: integer({ min: 1, description: "The item's number" }) });
// Clients send {"is_read": true}. Belfry ignores it, because the path already says it.
const readBody = z.object({ is_read: z.boolean(booleanField).optional() }, dictionary);

const bulkBody = z.object(
  {
    ids: list(z.int(integerField), { max: MAX_BULK, items: "integer", ...listField, tooLong: tooLongList(MAX_BULK) }),
    action: z.enum(["read", "delete"], choiceField),
  },
  dictionary,
);

const listQuery = z.object({
  page: z
    .string()
    .meta({ description: "A page number; also `last`", override: { type: "integer", minimum: 1 } })
    .optional(),
  page_size: z
    .string()
    .meta({ description: "20 unless given", override: { type: "integer", minimum: 1, maximum: 100 } })
    .optional(),
  ordering: z
    .string()
    .meta({
      description: "The order: newest first unless it is `created_at`",
      override: { type: "string", enum: ["created_at", "-created_at"] },
    })
    .optional(),
  notification_type: text({ maxLength: 255, description: "Only items of this type" }).optional(),
});

const listSchema = z
  .object({ count: z.int(), next: z.string().nullable(), previous: z.string().nullable(), results: z.array(itemSchema) })
  .meta({ id: "NotificationPage" });

type ListContext = RouteContext<unknown, z.infer<typeof listQuery>>;

/** The items of a list, and the style of its links. */
interface ListKind {
  readonly status: InboxStatus;
  readonly links: LinkStyle;
}

async function listPage(context: ListContext, { status, links }: ListKind): Promise<Reply> {
  const { page_size, ordering, notification_type: type } = context.query;
  const size = pageSize(page_size);
  const asked = pageNumber(context.query.page);
  if (asked === null || (typeof asked === "number" && asked * size > Number.MAX_SAFE_INTEGER)) {
    throw invalidPage();
  }
  const inbox = inboxOf(context);
  const form = listForm(context.service.types);
  const filter = { status, limit: size, ...(type === undefined || type === "" ? {} : { type }) };
  const isOldestFirst = ordering === "created_at";
  const offset = asked === "last" || isOldestFirst ? 0 : (asked - 1) * size;
  let result = await inbox.listAs(form, { ...filter, offset });
  const pages = pageCount(result.matching, size);
  const page = asked === "last" ? pages : asked;
  if (page > pages) {
    throw invalidPage();
  }
  if (isOldestFirst) {
    result = await oldestFirst((input) => inbox.listAs(form, input), { ...filter, page, matching: result.matching });
  } else if (asked === "last" && pages > 1) {
    result = await inbox.listAs(form, { ...filter, offset: (pages - 1) * size });
  }
  const rest = {
    count: result.matching,
    next: page < pages ? pageLink(context.request, page + 1, links) : null,
    previous: page > 1 ? pageLink(context.request, page - 1, links) : null,
  };
  return { status: 200, jsonText: `${JSON.stringify(rest).slice(0, -1)},"results":[${result.items.join()}]}` };
}

/** Returns a page counted from the oldest item: an inbox lists the newest first, so it is taken from the end and turned around. */
async function oldestFirst(
  list: (input: StoredListInput) => MaybePromise<WrittenList>,
  { page, matching, limit, ...filter }: { page: number; matching: number; limit: number; status: InboxStatus; type?: string },
): Promise<WrittenList> {
  const size = Math.min(limit, matching - (page - 1) * limit);
  if (size <= 0) {
    return list({ ...filter, limit });
  }
  const found = await list({ ...filter, limit: size, offset: Math.max(0, matching - page * limit) });
  return { ...found, items: [...found.items].reverse() };
}

function listRoute(path: string, { operationId, summary, ...kind }: ListKind & { operationId: string; summary: string }): Route {
  return defineRoute("GET", path, {
    operationId,
    summary,
    query: listQuery,
    isQueryRemembered: true,
    responses: {
      200: { description: "One page", schema: listSchema },
      400: invalidDoc,
      404: { description: "There is no such page", schema: detailSchema },
    },
    handle: (context) => listPage(context, kind),
  });
}

function listRoutes(links: LinkStyle): readonly Route[] {
  const all = { operationId: "listNotifications", summary: "List the caller's notifications, newest first", status: "all", links } as const;
  const unread = { operationId: "listUnread", summary: "List the caller's unread notifications", status: "unread", links } as const;
  return [listRoute(BASE, all), listRoute(`${BASE}/unread`, unread)];
}

const itemRoutes: readonly Route[] = [
  defineRoute("GET", `${BASE}/unread_count`, {
    operationId: "countUnread",
    summary: "Count the caller's unread notifications",
    responses: { 200: { description: "The count", schema: z.object({ count: z.int() }) } },
    handle: (context) => andThen(inboxOf(context).readUnread(), (count) => reply({ count })),
  }),
  defineRoute("GET", `${BASE}/{id}`, {
    operationId: "getNotification",
    summary: "Get one notification",
    params: itemParams,
    responses: { 200: { description: "The notification", schema: itemSchema }, 404: notFound },
    handle: async (context) => itemReply(context, await inboxOf(context).get({ seq: context.params.id })),
  }),
  defineRoute("POST", `${BASE}/{id}/mark_as_read`, {
    operationId: "markRead",
    summary: "Mark one notification read; again keeps the first time",
    params: itemParams,
    body: readBody,
    bodyOptional: true,
    responses: { 200: { description: "The notification", schema: itemSchema }, 400: invalidDoc, 404: notFound },
    handle: async (context) => itemReply(context, await inboxOf(context).markRead({ seq: context.params.id })),
  }),
  defineRoute("POST", `${BASE}/mark_all_as_read`, {
    operationId: "markAllRead",
    summary: "Mark all of the caller's notifications read",
    body: readBody,
    bodyOptional: true,
    responses: { 200: { description: "They are read", schema: z.object({ success: z.literal(true) }) }, 400: invalidDoc },
    async handle(context) {
      await inboxOf(context).markAllRead();
      return reply({ success: true });
    },
  }),
  defineRoute("DELETE", `${BASE}/{id}/delete_notification`, {
    operationId: "deleteNotification",
    summary: "Delete one notification",
    params: itemParams,
    responses: { 204: { description: "It is deleted" }, 404: notFound },
    async handle(context) {
      await inboxOf(context).remove({ seq: context.params.id });
      return { status: 204 };
    },
  }),
  defineRoute("DELETE", `${BASE}/delete_all_read`, {
    operationId: "deleteAllRead",
    summary: "Delete all of the caller's read notifications",
    responses: { 204: { description: "They are deleted" } },
    async handle(context) {
      await inboxOf(context).removeRead();
      return { status: 204 };
    },
  }),
  defineRoute("POST", `${BASE}/bulk`, {
    operationId: "changeMany",
    summary: "Mark several notifications read, or delete them; unknown ones are skipped",
    body: bulkBody,
    responses: {
      200: { description: "How many were found", schema: z.object({ success: z.literal(true), count: z.int() }) },
      400: invalidDoc,
    },
    async handle(context) {
      const { ids, action } = context.body;
      const refs = ids.map((seq) => ({ seq }));
      const inbox = inboxOf(context);
      return reply({ success: true, count: action === "read" ? await inbox.markManyRead(refs) : await inbox.removeMany(refs) });
    },
  }),
];

function itemReply({ service }: RouteContext, item: InboxItem): Reply {
  return reply(djangoItem(item, service.types));
}

export { type DjangoItem, type DjangoItemSource, djangoItem } from "./item.ts";
export type { LinkStyle };

/** Options of the `django` contract. */
export interface DjangoOptions {
  /**
   * The form of `next` and `previous`:
   *
   * - `"paths"`: paths with their query, such as `/notifications/?page=2`.
   * - `"absolute"`: whole addresses, as Django REST framework makes them, with the scheme and host by which the client reached the
   *   server. Behind a proxy, Express obeys its setting "trust proxy"; elsewhere they are those of the proxy's own request.
   * - A `URL`: they begin with it, whatever the request says. It is `http` or `https` and may have a path, which is put before the
   *   prefix of the mount.
   *
   * @default "paths"
   */
  readonly links?: LinkStyle;
}

/**
 * The contract `django`: users with a token list, read and delete their notifications, by the page rules of Django
 * REST framework.
 *
 * @throws BelfryError `CONFIGURATION` for an option that is not known, or links of another form
 * @example
 * ```ts
 * app.use(expressBelfry(notifications, { contracts: [django({ links: "absolute" })], auth: { tokens: { "a-token": "user_123" } } }));
 * ```
 */
export function django(options: DjangoOptions = {}): Contract {
  requireOptions("django", options, { links: true } satisfies MembersOf<DjangoOptions>);
  const { links = "paths" } = options;
  requireConfiguration("django's", [linksIssue(links, "links")]);
  return defineContract({
    name: "django",
    title: "Belfry django",
    basePath: BASE,
    credential: "token",
    principal: "user",
    routes: [...listRoutes(links), ...itemRoutes],
    errorSchema: detailSchema,
    renderFailure: djangoFailure,
  });
}

const linksIssue: Check = (links, name) => {
  const isAddress = links instanceof URL && /^https?:$/.test(links.protocol) && links.href === `${links.origin}${links.pathname}`;
  const message = `must be "paths", "absolute", or a URL of http or https without a query, is ${links instanceof URL ? "another URL" : shown(links)}`;
  return links === "paths" || links === "absolute" || isAddress ? null : { path: [name], type: "enum", message };
};
