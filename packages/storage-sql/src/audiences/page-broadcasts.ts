import { randomUUID } from "node:crypto";
import type { BroadcastPage, BroadcastStorage, PagedBroadcast } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";
import { type ListPart, PLACE_OF_OTHERS, usersInParts } from "../delivery/fan-out-parts.ts";

/** How many users a part of a page has, whose deliveries one transaction writes. */
const USERS_OF_PART = 250;

/** A page is taken up once no more parts than these are left to be written: so the table of parts stays small. */
const UNWRITTEN_PARTS = 20;

/** How long a page may be left unread before it counts as waiting: every process that could read it looks more often. */
const WAITING_MS = 30_000;

/** A place among the pages of the host's users. */
interface PagePlace extends Pick<PagedBroadcast, "cursor" | "place"> {
  /** About when the page before was read, in milliseconds. @default there is none */
  readonly since?: number | undefined;
  /** When somebody took the page up. @default nobody did */
  readonly takenAt?: number | undefined;
  /** Until when somebody reads the page, in milliseconds. @default nobody does */
  readonly until?: number;
  /** Tells one who reads it from another. */
  readonly by?: string;
}

/** A place among the pages of the host's users, as the column keeps it: once a broadcast has taken its page up, it is the mark of that. */
export function pageCursor(place: PagePlace): string {
  return JSON.stringify(place);
}

/** The place before the first page. */
export const FIRST_PAGE = { cursor: null, place: 0 } as const;

/** How the place of a broadcast changes once a page of it is read, or given back: null after the last one. */
export function placeAfter({ cursor, place, mark }: PagedBroadcast, page: BroadcastPage | null): string | null {
  const { since, takenAt } = JSON.parse(mark) as PagePlace;
  if (page === null) {
    return pageCursor({ cursor, place, since });
  }
  return page.next === null ? null : pageCursor({ cursor: page.next, place: place + page.users.length, since: takenAt });
}

/** The parts of a page's users. */
export function* partsOfPage({ place: before }: PagedBroadcast, page: BroadcastPage | null): Generator<ListPart> {
  for (const { place, ...part } of usersInParts(page?.users ?? [], USERS_OF_PART)) {
    yield { ...part, place: before + place };
  }
}

/** Since when a page has been left unread; null for one that somebody reads, or will soon. */
export function waitingSince(text: string, sentAt: number, now: number): Date | null {
  const { until = 0, since = sentAt } = JSON.parse(text) as PagePlace;
  const from = Math.max(since, sentAt);
  return until > now || now - from < WAITING_MS ? null : new Date(from);
}

/** Whether more than so many parts of the users of a broadcast `b` are left to be written. */
export function hasUnwritten({ tables, join }: Pick<Sql, "tables" | "join">, parts: number): string {
  return `EXISTS (SELECT 1 FROM ${tables.fanOuts} f ${join} ${tables.fanOutParts} p ON p.fan_out_pk = f.pk
      WHERE f.notification_pk = b.notification_pk AND p.place <> ${PLACE_OF_OTHERS} LIMIT 1 OFFSET ${parts})`;
}

interface PagedRow extends Pick<PagedBroadcast, "tenant" | "id"> {
  readonly pk: number;
  readonly pageCursor: string;
  readonly except: string | null;
  readonly isExpired: boolean | number;
  readonly sentAt: number;
}

/** Taking up the pages of the host's users. */
export function pagingBroadcasts(sql: Sql): Pick<BroadcastStorage, "takePage" | "waitingPage"> {
  const { broadcasts, notifications } = sql.tables;
  const pagedUp = (parts: number) => `SELECT n.tenant, n.id, b.pk, b.page_cursor AS "pageCursor", b.except_users AS "except",
      ${sql.milliseconds("b.at")} AS "sentAt", coalesce(n.expires_at <= ${sql.cast("$1", "timestamptz")}, false) AS "isExpired"
    FROM ${broadcasts} b ${sql.join} ${notifications} n ON n.pk = b.notification_pk
    WHERE b.page_cursor IS NOT NULL AND b.due_at IS NULL AND b.at <= $1 AND NOT ${hasUnwritten(sql, parts)} ORDER BY b.pk LIMIT 100`;
  const [find, findIdle] = [pagedUp(UNWRITTEN_PARTS), pagedUp(0)];
  const take = `UPDATE ${broadcasts} SET page_cursor = $3 WHERE pk = $1 AND page_cursor = $2 RETURNING pk`;
  return {
    async takePage(at, until) {
      for (const { pk, pageCursor: text, except, isExpired, tenant, id } of await sql.rows<PagedRow>("paged_broadcasts", find, [at])) {
        const { until: takenUntil = 0, cursor, place, since } = JSON.parse(text) as PagePlace;
        const mark = pageCursor({ cursor, place, since, takenAt: at.getTime(), until: until.getTime(), by: randomUUID() });
        if (takenUntil <= at.getTime() && (await sql.rows("take_page", take, [pk, text, mark])).length > 0) {
          const left = except === null ? [] : (JSON.parse(except) as readonly string[]);
          return { tenant, id, mark, cursor, place, except: left, isExpired: Boolean(isExpired) };
        }
      }
      return null;
    },
    async waitingPage(at) {
      for (const { tenant, id, pageCursor: text, sentAt } of await sql.rows<PagedRow>("waiting_pages", findIdle, [at])) {
        const since = waitingSince(text, sentAt, at.getTime());
        if (since !== null) {
          return { tenant, id, since };
        }
      }
      return null;
    },
  };
}
