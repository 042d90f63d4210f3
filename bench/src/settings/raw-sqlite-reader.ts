import type { InboxCounts, InboxItem } from "@belfry/core";
import type Database from "better-sqlite3";

type ItemTuple = readonly [
  id: string,
  type: string,
  title: string,
  message: string,
  data: string,
  createdAt: number,
  seq: number,
  readAt: number | null,
  unreadRev: number | null,
  kind: InboxItem["kind"],
  source: string | null,
  actor: string | null,
  priority: InboxItem["priority"],
  url: string | null,
  actions: string | null,
  rendered: number | null,
  expiresAt: number | null,
  group: string | null,
  replaceKey: string | null,
  pinnedAt: number | null,
  archivedAt: number | null,
  snoozedUntil: number | null,
  seenMark: number | null,
  category: string | null,
];
type CountsTuple = readonly [total: number, unread: number, lastSeq: number, epoch: string, rev: number, seenUnread: number | null];
type StateTuple = readonly [...CountsTuple, readUpToSeq: number, seenUpToSeq: number | null, seenRev: number | null];

const TENANT = "default";

function dateOf(milliseconds: number | null): Date | null {
  return milliseconds === null ? null : new Date(milliseconds);
}

function isMarkedSeen(seq: number, seenMark: number, [, , , , , , , seenUpToSeq, seenRev]: StateTuple): boolean {
  return seenMark > 0 || (seq <= (seenUpToSeq ?? 0) && -seenMark <= (seenRev ?? 0));
}

/** A page as the raw side reads it. */
export interface RawPage {
  readonly items: readonly InboxItem[];
  readonly counts: InboxCounts;
  readonly next: string | null;
}

function countsOf([total, unread, lastSeq, epoch, rev, seenUnread]: CountsTuple): InboxCounts {
  return { total, unread, unseen: unread - (seenUnread ?? 0), lastSeq, epoch, rev };
}

/**
 * Reads Belfry's schema by hand: prepared statements of one moment, rows as lists, no column that is not needed, the same
 * objects in the end.
 */
export class RawSqliteReader {
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #unread: Database.Statement;
  readonly #counts: Database.Statement;
  readonly #countsAndLook: Database.Statement;
  readonly #state: Database.Statement;
  readonly #page: Database.Statement;
  readonly #shownPage: Database.Statement;
  readonly #mark: Database.Statement;

  constructor(database: Database.Database) {
    const ofInbox = "FROM belfry_inbox_counters WHERE tenant = ? AND user_id = ?";
    const shown = "n.id, i.type, n.title, n.message, n.data, i.created_at, i.seq, i.read_at, i.unread_rev";
    // SQLite would plan the statement anew for each plain value, as if it had never seen it.
    const page = (columns: string) =>
      `SELECT ${columns} FROM belfry_inbox_items i CROSS JOIN belfry_notifications n ON n.pk = i.notification_pk ` +
      "WHERE i.tenant = +? AND i.user_id = +? AND i.seq < +? AND i.deleted_at IS NULL ORDER BY i.seq DESC LIMIT +?";
    this.#begin = database.prepare("BEGIN");
    this.#commit = database.prepare("COMMIT");
    this.#unread = database.prepare(`SELECT unread ${ofInbox}`).pluck();
    const counts = "total, unread, last_seq, epoch, rev, seen_unread";
    this.#counts = database.prepare(`SELECT ${counts} ${ofInbox}`).raw();
    const newest = "(SELECT newest FROM belfry_broadcast_numbers b WHERE b.tenant = belfry_inbox_counters.tenant)";
    this.#countsAndLook = database.prepare(`SELECT ${counts}, ifnull(placed_up_to, 0) < ${newest} ${ofInbox}`).raw();
    this.#state = database
      .prepare(`SELECT total, unread, last_seq, epoch, rev, seen_unread, read_up_to_seq, seen_up_to_seq, seen_rev ${ofInbox}`)
      .raw();
    const marks = "i.pinned_at, i.archived_at, i.snoozed_until, i.seen_mark, i.category";
    this.#page = database
      .prepare(
        page(
          `${shown}, n.kind, n.source, n.sender, n.priority, n.url, n.actions, n.rendered, n.expires_at, n.group_name, n.replace_key, ${marks}`,
        ),
      )
      .raw();
    this.#shownPage = database.prepare(page(shown)).raw();
    this.#mark = database
      .prepare(
        "SELECT read_at FROM belfry_read_marks WHERE tenant = ? AND user_id = ? AND up_to_seq >= ? AND rev > ? ORDER BY up_to_seq, rev LIMIT 1",
      )
      .pluck();
  }

  unread(userId: string): number {
    return this.#unread.get(TENANT, userId) as number;
  }

  counts(userId: string): InboxCounts {
    return countsOf(this.#counts.get(TENANT, userId) as CountsTuple);
  }

  /** The same by a statement that also looks whether a broadcast is to be placed: what the look costs where there is none. */
  countsAndLook(userId: string): InboxCounts {
    return countsOf(this.#countsAndLook.get(TENANT, userId) as CountsTuple);
  }

  /** The counters and one row more than the page has, of the same moment. */
  #read(page: Database.Statement, userId: string, limit: number): { readonly state: StateTuple; readonly rows: readonly ItemTuple[] } {
    this.#begin.run();
    const state = this.#state.get(TENANT, userId) as StateTuple;
    const rows = page.all(TENANT, userId, Number.MAX_SAFE_INTEGER, limit + 1) as ItemTuple[];
    this.#commit.run();
    return { state, rows };
  }

  list(userId: string, limit: number): RawPage {
    const { state, rows } = this.#read(this.#page, userId, limit);
    const [total, unread, lastSeq, epoch, rev, seenUnread, readUpToSeq] = state;
    const hasMore = rows.length > limit;
    const items: InboxItem[] = [];
    for (let index = 0; index < rows.length && index < limit; index += 1) {
      const row = rows[index] as ItemTuple;
      const [
        id,
        type,
        title,
        message,
        data,
        createdAt,
        seq,
        ownReadAt,
        ,
        kind,
        source,
        actor,
        priority,
        url,
        actions,
        rendered,
        expiresAt,
        group,
        replaceKey,
        ...marks
      ] = row;
      const [pinnedAt, archivedAt, snoozedUntil, seenMark, category] = marks;
      const readAt = seq > readUpToSeq ? ownReadAt : this.#readAt(userId, row);
      items.push({
        id,
        tenant: TENANT,
        kind,
        type,
        title,
        message,
        data: JSON.parse(data),
        source,
        actor,
        createdAt: new Date(createdAt),
        priority,
        url,
        actions: actions === null ? null : JSON.parse(actions),
        rendered,
        expiresAt: expiresAt === null ? null : new Date(expiresAt),
        category,
        group,
        replaceKey,
        userId,
        seq,
        readAt: dateOf(readAt),
        isSeen: readAt !== null || isMarkedSeen(seq, seenMark ?? 0, state),
        pinnedAt: dateOf(pinnedAt),
        archivedAt: dateOf(archivedAt),
        snoozedUntil: dateOf(snoozedUntil),
      });
    }
    const counts = { total, unread, unseen: unread - (seenUnread ?? 0), lastSeq, epoch, rev };
    return { items, counts, next: hasMore ? `${items.at(-1)?.seq}-${epoch}` : null };
  }

  /** The answer of `inbox-v1` to a list, as text, and the unread count: rows become JSON without becoming objects. */
  listJson(userId: string, limit: number): { readonly text: string; readonly unread: number } {
    const { state, rows } = this.#read(this.#shownPage, userId, limit);
    const [total, unread, , , , , readUpToSeq] = state;
    const owner = JSON.stringify(userId);
    let text = "";
    for (let index = 0; index < rows.length && index < limit; index += 1) {
      const row = rows[index] as ItemTuple;
      const [id, type, title, message, data, createdAt, seq, ownReadAt] = row;
      const readAt = seq > readUpToSeq ? ownReadAt : this.#readAt(userId, row);
      const status = readAt === null ? `"unread","read_at":null` : `"read","read_at":"${new Date(readAt).toISOString()}"`;
      text += `${index === 0 ? "" : ","}{"id":"${id}","user_id":${owner},"type":${JSON.stringify(type)},"title":${JSON.stringify(title)},"message":${JSON.stringify(message)},"data":${data},"status":${status},"created_at":"${new Date(createdAt).toISOString()}"}`;
    }
    const last = rows.length > limit ? (rows[limit - 1] as ItemTuple)[6] : null;
    const next = last === null ? "null" : `"${last.toString(36)}-${CHECK}"`;
    return { text: `{"notifications":[${text}],"total":${total},"unread_count":${unread},"next_cursor":${next}}`, unread };
  }

  #readAt(userId: string, [, , , , , , seq, readAt, unreadRev]: ItemTuple): number | null {
    return readAt ?? (this.#mark.get(TENANT, userId, seq, unreadRev ?? -1) as number | undefined) ?? null;
  }
}

/** As long as Belfry's checksum of a cursor. */
const CHECK = "0000000000000";
