import type pg from "pg";
import { dataOf, MESSAGE, TITLE, typeOf } from "./content.ts";
import { rawUuidV7 } from "./raw-uuid.ts";

/** The epoch of a new inbox. */
const EPOCH = "left(replace(gen_random_uuid()::text, '-', ''), 12)";

/** Writes on Belfry's schema by hand: one prepared statement for a notification or for many, which sends the NOTIFY, too. */
export class RawPostgresWriter {
  readonly #pool: pg.Pool;
  readonly #one: string;
  readonly #many: string;
  #order = 0;

  /** @param channel where every create is told */
  constructor(pool: pg.Pool, schema: string, channel: string) {
    this.#pool = pool;
    // It says after which broadcast an inbox begins: where an insert does not, even one that becomes an update, a trigger finds it out.
    const counters = `INSERT INTO ${schema}.belfry_inbox_counters AS c (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch, began_after)`;
    const more = (by: string) =>
      `ON CONFLICT (tenant, user_id) DO UPDATE SET last_seq = c.last_seq + ${by}, total = c.total + ${by}, unread = c.unread + ${by}`;
    this.#one = `WITH n AS (
        INSERT INTO ${schema}.belfry_notifications (tenant, id, kind, type, title, message, data, priority, created_at)
        VALUES ('default', $1, 'message', $3, $4, $5, $6, 'normal', $7) RETURNING pk),
      c AS (${counters} VALUES ('default', $2, 1, 1, 1, 0, ${EPOCH}, 0) ${more("1")} RETURNING last_seq, epoch),
      i AS (
        INSERT INTO ${schema}.belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at)
        SELECT 'default', $2, c.last_seq, n.pk, $3, $7 FROM n, c)
      SELECT last_seq, epoch, pg_notify('${channel}', '["raw",["c","default","' || $2 || '",' || last_seq || ',"' || epoch || '","' || $1 || '"]]') FROM c`;
    // Keys are drawn first, so that items need no look-up of their notifications; the caller has sorted and counted the users.
    this.#many = `WITH e AS MATERIALIZED (
        SELECT nextval('${schema}.belfry_notifications_pk_seq') AS pk, * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::json[], $5::int[], $6::text[], $7::text[]) AS e(id, user_id, type, data, back, title, message)),
      n AS (
        INSERT INTO ${schema}.belfry_notifications (pk, tenant, id, kind, type, title, message, data, priority, created_at) OVERRIDING SYSTEM VALUE
        SELECT pk, 'default', id, 'message', type, title, message, data, 'normal', $8 FROM e),
      c AS (
        ${counters} SELECT 'default', user_id, by, by, by, 0, ${EPOCH}, 0 FROM unnest($9::text[], $10::int[]) AS u(user_id, by)
        ${more("excluded.last_seq")} RETURNING user_id, last_seq, epoch),
      s AS MATERIALIZED (SELECT e.pk, e.id, e.user_id, e.type, c.last_seq - e.back AS seq, c.epoch FROM e JOIN c ON c.user_id = e.user_id COLLATE "C"),
      i AS (
        INSERT INTO ${schema}.belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at)
        SELECT 'default', user_id, seq, pk, type, $8 FROM s)
      SELECT pg_notify('${channel}', '["raw"' || string_agg(',["c","default","' || user_id || '",' || seq || ',"' || epoch || '","' || id || '"]', '') || ']') FROM s`;
  }

  /** Creates a notification for a user. */
  async createOne(userId: string): Promise<unknown> {
    const now = new Date();
    this.#order += 1;
    const values = [
      rawUuidV7(now.getTime()),
      userId,
      typeOf(this.#order),
      TITLE,
      MESSAGE,
      JSON.stringify(dataOf(this.#order)),
      now.toISOString(),
    ];
    return this.#pool.query({ name: "raw_one", text: this.#one, values, rowMode: "array" });
  }

  /** Creates a notification for each of the users, in one statement. */
  async createMany(users: readonly string[]): Promise<unknown> {
    const now = new Date();
    const nowMs = now.getTime();
    const sorted = users.toSorted();
    const counts = new Map<string, number>();
    for (const userId of sorted) {
      counts.set(userId, (counts.get(userId) ?? 0) + 1);
    }
    const left = new Map(counts);
    const back = sorted.map((userId) => {
      const behind = (left.get(userId) ?? 0) - 1;
      left.set(userId, behind);
      return behind;
    });
    const start = this.#order;
    this.#order += users.length;
    const values = [
      sorted.map(() => rawUuidV7(nowMs)),
      sorted,
      sorted.map((_, index) => typeOf(start + index)),
      sorted.map((_, index) => JSON.stringify(dataOf(start + index))),
      back,
      sorted.map(() => TITLE),
      sorted.map(() => MESSAGE),
      now.toISOString(),
      [...counts.keys()],
      [...counts.values()],
    ];
    return this.#pool.query({ name: "raw_many", text: this.#many, values, rowMode: "array" });
  }
}
