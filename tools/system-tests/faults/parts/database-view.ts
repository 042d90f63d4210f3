import Database from "better-sqlite3";
import { type Query, queryOf } from "../../test/recount.ts";
import { openPool } from "../../test/test-database.ts";

/** A delivery as the database has it. */
export interface DeliveryRow {
  readonly text: string;
  readonly notification: string;
  readonly delivery: string;
  readonly channel: string;
  readonly recipient: string;
  readonly status: string;
  readonly reason: string | null;
  readonly attempt: number;
  readonly isLeased: boolean;
  readonly isSettled: boolean;
}

/** An attempt as the database has it. */
export interface AttemptRow {
  readonly delivery: string;
  readonly attempt: number;
  readonly status: string;
  readonly error: string | null;
}

/** Reads a database under test from outside, by a connection of its own. */
export class DatabaseView {
  readonly query: Query;

  constructor(url: string, cleanup: (task: () => unknown) => void) {
    if (url.startsWith("sqlite:")) {
      this.query = async (sql) => {
        // It is opened anew each time, because the file is made by the process under test.
        const database = new Database(url.slice("sqlite:".length), { fileMustExist: true, timeout: 10_000 });
        try {
          return database.prepare(sql).all() as Readonly<Record<string, unknown>>[];
        } finally {
          database.close();
        }
      };
    } else {
      const pool = openPool(url, { max: 2 });
      cleanup(() => pool.end());
      this.query = queryOf(pool);
    }
  }

  async deliveries(): Promise<readonly DeliveryRow[]> {
    const rows = await this.query(`
      SELECT n.message AS text, n.id AS notification, d.id AS delivery, d.channel, d.recipient, d.status, d.reason, d.attempt,
        CASE WHEN d.lease_owner IS NULL THEN 0 ELSE 1 END AS leased, CASE WHEN d.settled_at IS NULL THEN 0 ELSE 1 END AS settled
      FROM belfry_deliveries d JOIN belfry_notifications n ON n.pk = d.notification_pk`);
    return rows.map((row) => ({
      ...(row as unknown as DeliveryRow),
      isLeased: Number(row.leased) === 1,
      isSettled: Number(row.settled) === 1,
    }));
  }

  async attempts(): Promise<readonly AttemptRow[]> {
    const rows = await this.query(`
      SELECT d.id AS delivery, a.attempt, a.status, a.error
      FROM belfry_delivery_attempts a JOIN belfry_deliveries d ON d.pk = a.delivery_pk ORDER BY d.id, a.attempt`);
    return rows as unknown as readonly AttemptRow[];
  }

  /** How many deliveries are held by a worker at this moment. */
  leased(): Promise<number> {
    return this.#count("FROM belfry_deliveries WHERE lease_owner IS NOT NULL");
  }

  /** How many deliveries have not ended, and how many chunks of large fan-outs are left. */
  async unsettled(): Promise<number> {
    return (await this.#count("FROM belfry_deliveries WHERE settled_at IS NULL")) + (await this.#count("FROM belfry_fan_outs"));
  }

  /** The texts of the users' items, by user, in the order of their numbers. */
  async inboxes(): Promise<ReadonlyMap<string, readonly string[]>> {
    const rows = await this.query(`
      SELECT i.user_id, n.message FROM belfry_inbox_items i JOIN belfry_notifications n ON n.pk = i.notification_pk ORDER BY i.user_id, i.seq`);
    const byUser = Map.groupBy(rows, ({ user_id }) => String(user_id));
    return new Map([...byUser].map(([user, items]) => [user, items.map(({ message }) => String(message))]));
  }

  async #count(from: string): Promise<number> {
    const [row] = await this.query(`SELECT count(*) AS count ${from}`);
    return Number(row?.count);
  }
}
