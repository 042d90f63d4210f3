import { z } from "zod";
import type { JsonValue } from "../../foundation/json.ts";
import { choice, integer, text, uuid } from "../../http/parameters.ts";
import { defineRoute, given, type Route, reply } from "../../http/route.ts";
import { type InboxFilter, requireFilter } from "../../inbox/index.ts";
import { errors } from "./failure.ts";
import { countsJson, countsSchema, itemJson, itemSchema } from "./item.ts";
import { locale } from "./locale.ts";
import { BASE, ownInbox } from "./own-inbox.ts";
import { lagMs, lagOf, mayLag, readsOf } from "./reads.ts";
import { UNCACHED, unlessKnown } from "./unless-known.ts";

const MAX_JSON_LENGTH = 8_000;

/** JSON in a query. What is in it is checked by whoever takes it. */
function json<Value extends object>(
  kind: "object" | "array",
  { description, example }: { readonly description: string; readonly example: string },
) {
  return z
    .string()
    .max(MAX_JSON_LENGTH)
    .transform((text, context): Value => {
      const value = parsed(text);
      if (typeof value === "object" && value !== null && Array.isArray(value) === (kind === "array")) {
        return value as Value;
      }
      context.addIssue({ code: "custom", message: `Input should be a JSON ${kind}`, params: { type: `json_${kind}` } });
      return z.NEVER;
    })
    .meta({ description, override: { type: "string", maxLength: MAX_JSON_LENGTH, example } });
}

/** The value of a JSON text; undefined for another text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // JSON.parse has only this error. The caller tells the client.
    return undefined;
  }
}

const filter = json<InboxFilter>("object", {
  description: "Only items that match: a filter as JSON",
  example: '{"types":["comment"],"read":false}',
});
const cursor = text({ maxLength: 200, description: "The nextCursor of the page before" }).optional();

const listQuery = z.strictObject({
  filter: filter.optional(),
  limit: integer({ min: 1, max: 100, description: "How many items at the most" }).default(20),
  cursor,
  locale,
  mayLag,
});

const listSchema = z.object({
  items: z.array(itemSchema),
  top: z
    .array(itemSchema)
    .optional()
    .meta({ description: "On the first page without a filter: pinned items, then unread ones that came back" }),
  nextCursor: z.string().nullable(),
  matching: z.int().meta({ description: "How many items match" }),
  more: z.boolean().optional().meta({ description: "With some filters: true if older items were not counted" }),
  counts: countsSchema,
  lagMs,
});

const filteredSchema = z.object({ total: z.int(), unread: z.int(), unseen: z.int(), more: z.boolean() });

const groupSchema = z
  .object({
    group: z.string(),
    total: z.int(),
    unread: z.int(),
    newest: itemSchema,
    actors: z.array(z.string()).meta({ description: "The first three" }),
    actorCount: z.int().meta({ description: "50 stands for 50 or more" }),
  })
  .meta({ id: "Group" });

const conditionalHeaders = z.object({
  "If-None-Match": z.string().optional().meta({ description: "The ETag of an earlier answer: 304 while it is still true" }),
});

/** The routes that read the caller's inbox. */
export const readingRoutes: readonly Route[] = [
  defineRoute("GET", `${BASE}/inbox`, {
    operationId: "listInbox",
    summary: "List the caller's inbox, newest first",
    query: listQuery,
    isQueryRemembered: true,
    headers: conditionalHeaders,
    responses: { 200: { description: "One page", schema: listSchema }, 304: { description: "Nothing changed" }, ...errors(400, 422) },
    handle(context) {
      const { filter: wanted = {}, mayLag: lag, ...page } = context.query;
      requireFilter(wanted);
      const shown = () => ["list", wanted, page.limit, page.cursor ?? null, page.locale ?? null] as readonly JsonValue[];
      return unlessKnown(context, { lag, shown }, async (inbox) => {
        const isFirst = page.cursor === undefined && context.query.filter === undefined;
        const list = await inbox.list({ ...wanted, ...given(page) });
        const { items, nextCursor, matching, more, counts } = list;
        const above = isFirst ? await inbox.top(given({ locale: page.locale }), counts) : null;
        const top = above === null ? {} : { top: above.items.map(itemJson) };
        const rest = { nextCursor, matching, ...given({ more }), counts: countsJson(counts), ...lagOf(list, above ?? {}) };
        return { json: { items: items.map(itemJson), ...top, ...rest }, counts };
      });
    },
  }),
  defineRoute("GET", `${BASE}/inbox/counts`, {
    operationId: "countInbox",
    summary: "Count the caller's inbox, and the items that match up to 30 filters",
    query: z.strictObject({
      filters: json<readonly InboxFilter[]>("array", {
        description: "Filters as JSON, at most 30",
        example: '[{"categories":["social"]}]',
      }).optional(),
      mayLag,
    }),
    isQueryRemembered: true,
    headers: conditionalHeaders,
    responses: {
      200: { description: "The counts", schema: z.object({ counts: countsSchema, filtered: z.array(filteredSchema), lagMs }) },
      304: { description: "Nothing changed" },
      ...errors(422),
    },
    handle(context) {
      const { filters = [], mayLag: lag } = context.query;
      return unlessKnown(context, { lag, shown: () => ["counts", filters as unknown as JsonValue] }, async (inbox) => {
        const counts = await inbox.counts({ filters });
        return { json: { counts: countsJson(counts), filtered: counts.filtered, ...lagOf(counts) }, counts };
      });
    },
  }),
  defineRoute("GET", `${BASE}/inbox/groups`, {
    operationId: "listGroups",
    summary: "List the groups of the caller's inbox, the one with the newest item first",
    query: z.strictObject({
      status: choice(["all", "unread"], "Which groups").default("all"),
      limit: integer({ min: 1, max: 100, description: "How many groups at the most" }).default(20),
      cursor,
      mayLag,
    }),
    responses: {
      200: {
        description: "One page",
        schema: z.object({ groups: z.array(groupSchema), nextCursor: z.string().nullable(), counts: countsSchema, lagMs }),
      },
      ...errors(400, 422),
    },
    async handle(context) {
      const { mayLag: lag, ...query } = context.query;
      const list = await readsOf(ownInbox(context), lag).groups(given(query));
      const { groups, nextCursor, counts } = list;
      const json = groups.map(({ newest, ...group }) => ({ ...group, newest: itemJson(newest) }));
      return { ...reply({ groups: json, nextCursor, counts: countsJson(counts), ...lagOf(list) }), ...(lag && { headers: UNCACHED }) };
    },
  }),
  defineRoute("GET", `${BASE}/inbox/items/{id}`, {
    operationId: "getItem",
    summary: "Get one item of the caller's inbox, wherever it is",
    params: z.object({ id: uuid("The notification's id") }),
    responses: { 200: { description: "The item", schema: itemSchema }, ...errors(403, 404, 422) },
    handle: async (context) => reply(itemJson(await ownInbox(context).get(context.params.id))),
  }),
];
