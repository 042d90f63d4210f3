import type { InboxCounts, InboxItem } from "@belfry/core";
import type Database from "better-sqlite3";

type ItemTuple = readonly [
  id: string,
  kind: InboxItem["kind"],
  type: string,
  title: string,
  message: string,
  data: string,
  source: string | null,
  sender: string | null,
  priority: InboxItem["priority"],
  createdAt: number,
  seq: number,
  readAt: number | null,
  unreadRev: number | null,
];
type StateTuple = readonly [
  total: number,
  unread: number,
  lastSeq: number,
  epoch: string,
  rev: number,
  readUpToSeq: number,
  readRev: number,
];

/** A page as the raw side reads it. */
export interface RawPage {
  readonly items: readonly InboxItem[];
  readonly counts: InboxCounts;
  readonly next: string | null;
}

/** Reads Belfry's schema by hand: two prepared statements a page, rows as lists, the same objects in the end. */
export class RawSqliteReader {
  readonly #state: Database.Statement;
  readonly #page: Database.Statement;
  readonly #mark: Database.Statement;

  constructor(database: Database.Database) {
    this.#state = database
      .prepare(
        "SELECT total, unread, last_seq, epoch, rev, read_up_to_seq, read_rev FROM belfry_inbox_counters WHERE tenant = 'default' AND user_id = ?",
      )
      .raw();
    this.#page = database
      .prepare(
        "SELECT n.id, n.kind, i.type, n.title, n.message, n.data, n.source, n.sender, n.priority, i.created_at, i.seq, i.read_at, i.unread_rev " +
          "FROM belfry_inbox_items i CROSS JOIN belfry_notifications n ON n.pk = i.notification_pk " +
          "WHERE i.tenant = 'default' AND i.user_id = ? AND i.seq < ? AND i.deleted_at IS NULL ORDER BY i.seq DESC LIMIT ?",
      )
      .raw();
    this.#mark = database
      .prepare(
        "SELECT read_at FROM belfry_read_marks WHERE tenant = 'default' AND user_id = ? AND up_to_seq >= ? AND rev > ? ORDER BY up_to_seq, rev LIMIT 1",
      )
      .pluck();
  }

  unread(userId: string): number {
    return (this.#state.get(userId) as StateTuple)[1];
  }

  counts(userId: string): InboxCounts {
    const [total, unread, lastSeq, epoch, rev] = this.#state.get(userId) as StateTuple;
    return { total, unread, lastSeq, epoch, rev };
  }

  list(userId: string, limit: number): RawPage {
    const [total, unread, lastSeq, epoch, rev, readUpToSeq] = this.#state.get(userId) as StateTuple;
    const rows = this.#page.all(userId, Number.MAX_SAFE_INTEGER, limit + 1) as ItemTuple[];
    const hasMore = rows.length > limit;
    const items: InboxItem[] = [];
    for (let index = 0; index < rows.length && index < limit; index += 1) {
      const row = rows[index] as ItemTuple;
      const [id, kind, type, title, message, data, source, sender, priority, createdAt, seq] = row;
      const readAt = seq > readUpToSeq ? row[11] : this.#readAt(userId, row);
      items.push({
        id,
        tenant: "default",
        kind,
        type,
        title,
        message,
        data: JSON.parse(data),
        source,
        sender,
        createdAt: new Date(createdAt),
        priority,
        userId,
        seq,
        readAt: readAt === null ? null : new Date(readAt),
      });
    }
    return { items, counts: { total, unread, lastSeq, epoch, rev }, next: hasMore ? `${items.at(-1)?.seq}-${epoch}` : null };
  }

  /** The answer of `inbox-v1` to a list, as text, and the unread count: rows become JSON without becoming objects. */
  listJson(userId: string, limit: number): { readonly text: string; readonly unread: number } {
    const [total, unread, , , , readUpToSeq] = this.#state.get(userId) as StateTuple;
    const rows = this.#page.all(userId, Number.MAX_SAFE_INTEGER, limit + 1) as ItemTuple[];
    const owner = JSON.stringify(userId);
    let text = "";
    for (let index = 0; index < rows.length && index < limit; index += 1) {
      const row = rows[index] as ItemTuple;
      const [id, , type, title, message, data, , , , createdAt, seq] = row;
      const readAt = seq > readUpToSeq ? row[11] : this.#readAt(userId, row);
      const status = readAt === null ? `"unread","read_at":null` : `"read","read_at":"${new Date(readAt).toISOString()}"`;
      text += `${index === 0 ? "" : ","}{"id":"${id}","user_id":${owner},"type":${JSON.stringify(type)},"title":${JSON.stringify(title)},"message":${JSON.stringify(message)},"data":${data},"status":${status},"created_at":"${new Date(createdAt).toISOString()}"}`;
    }
    const last = rows.length > limit ? (rows[limit - 1] as ItemTuple)[10] : null;
    const next = last === null ? "null" : `"${last.toString(36)}-${CHECK}"`;
    return { text: `{"notifications":[${text}],"total":${total},"unread_count":${unread},"next_cursor":${next}}`, unread };
  }

  #readAt(userId: string, [, , , , , , , , , , seq, readAt, unreadRev]: ItemTuple): number | null {
    return readAt ?? (this.#mark.get(userId, seq, unreadRev ?? -1) as number | undefined) ?? null;
  }
}

/** As long as Belfry's checksum of a cursor. */
const CHECK = "0000000000000";
