import { z } from "zod";
import { validationError } from "../../foundation/issue-list.ts";
import { choice, list, text, uuid } from "../../http/parameters.ts";
import { defineRoute, given, type Reply, type Route, type RouteContext, reply } from "../../http/route.ts";
import type { Inbox, InboxFilter, ItemMark, KeyedInbox } from "../../inbox/index.ts";
import { errors } from "./failure.ts";
import { keyHeaders } from "./idempotency-key.ts";
import { countsJson, countsSchema } from "./item.ts";
import { BASE, ownInbox } from "./own-inbox.ts";

const MAX_IDS = 1_000;
const NAME_LENGTH = 255;

const CHANGES = [
  ...(["read", "unread", "seen", "unseen", "pinned", "unpinned"] as const),
  ...(["archived", "unarchived", "snoozed", "woken", "deleted"] as const),
] as const;
type Change = (typeof CHANGES)[number];

/** What a change of items may do, apart from putting them off, which has a time. */
type Mark = ItemMark | "read" | "unread";

const change = choice(CHANGES, "What happens to the items");
const upTo = z
  .int()
  .min(0)
  .optional()
  .meta({ description: "Only items with numbers up to this one, such as that of the newest on the screen" });
const until = z
  .string()
  .optional()
  .meta({ description: "For `snoozed`: when they come back, ISO 8601 with a time zone", format: "date-time" });

const changedSchema = z.object({
  changed: z.int().meta({ description: "How many items were found, or changed" }),
  counts: countsSchema,
});
const responses = { 200: { description: "The new state", schema: changedSchema }, ...errors(400, 422) };
const headers = keyHeaders("Makes a repetition of this request change nothing, and answer what the first one changed");

/** Makes a change of the caller's inbox, once for the key that the request has, and answers with the present counts. */
async function changed(
  context: Pick<RouteContext, "principal" | "tenant" | "request">,
  change: (inbox: Inbox | KeyedInbox) => Promise<number>,
): Promise<Reply> {
  const inbox = ownInbox(context);
  const key = context.request.headers["idempotency-key"];
  const found = await change(key === undefined ? inbox : inbox.withKey(key));
  return reply({ changed: found, counts: countsJson(await inbox.counts()) });
}

/** Refuses a time where none is taken. Where one is missing, the inbox says so. */
function refuseTime(change: Change, time: string | undefined): void {
  if (change !== "snoozed" && time !== undefined) {
    throw validationError([{ path: ["until"], type: "conflict", message: `is for snoozed alone, not for ${change}` }]);
  }
}

/**
 * The routes that change the caller's inbox. Each says the state that is to be, so a client that got no answer may ask again: the second
 * time changes nothing, or with a key, whatever else happened in between.
 */
export const changingRoutes: readonly Route[] = [
  defineRoute("POST", `${BASE}/inbox/items`, {
    operationId: "changeItems",
    summary: "Change items of the caller's inbox, in one transaction; unknown ones are skipped",
    body: z.strictObject({
      change,
      ids: list(uuid("The notification's id"), { max: MAX_IDS, items: "string", description: "The items" }),
      until,
    }),
    headers,
    responses,
    handle(context) {
      const { change: what, ids, until: time } = context.body;
      refuseTime(what, time);
      return changed(context, (inbox) => {
        if (what === "deleted") {
          return inbox.removeMany(ids);
        }
        return what === "snoozed" ? inbox.snoozeMany(ids, time ?? "") : inbox.markMany(ids, what satisfies Mark);
      });
    },
  }),
  defineRoute("POST", `${BASE}/inbox/groups`, {
    operationId: "changeGroup",
    summary: "Change the items of a group of the caller's inbox",
    body: z.strictObject({ change, group: text({ minLength: 1, maxLength: NAME_LENGTH, description: "The group" }), until, upTo }),
    headers,
    responses,
    handle(context) {
      const { change: what, until: time, upTo: last } = context.body;
      refuseTime(what, time);
      const range = given({ upTo: last });
      return changed(context, (inbox) => {
        const group = inbox.group(context.body.group);
        if (what === "deleted") {
          return group.remove(range);
        }
        return what === "snoozed" ? group.snooze(time ?? "", range) : group.mark(what satisfies Mark, range);
      });
    },
  }),
  defineRoute("POST", `${BASE}/inbox/all`, {
    operationId: "changeAll",
    summary: "Change everything in the caller's inbox, or what matches a filter; later items stay as they are",
    body: z.strictObject({
      change: choice(["read", "seen", "archived", "deleted_read"], "What happens: deleted_read deletes active items that are read"),
      filter: z.record(z.string(), z.unknown()).optional().meta({ description: "Only items that match" }),
      upTo,
    }),
    headers,
    responses,
    handle(context) {
      const { change: what, filter, ...rest } = context.body;
      const asked = { ...given(rest), ...(filter === undefined ? {} : { filter: filter as InboxFilter }) };
      const input = Object.keys(asked).length === 0 ? undefined : asked;
      if (what === "deleted_read" && input !== undefined) {
        throw validationError([
          { path: [Object.keys(input)[0] ?? ""], type: "conflict", message: "is not for deleted_read, which takes nothing else" },
        ]);
      }
      return changed(context, (inbox) => {
        switch (what) {
          case "read":
            return inbox.markAllRead(input);
          case "seen":
            return inbox.markAllSeen(input);
          case "archived":
            return inbox.archiveAll(input);
          case "deleted_read":
            return inbox.removeRead();
        }
      });
    },
  }),
];
