import type pg from "pg";
import type { Work } from "../harness/row.ts";
import { MESSAGE, TITLE } from "./content.ts";
import { BATCH } from "./noop-channel.ts";
import { numberIn } from "./postgres.ts";

/** Writes `count` sends that are due, or are in `dueInMs`, each to one recipient: what `send` writes, but all in one statement. */
export async function enqueueInPostgres(pool: pg.Pool, schema: string, count: number, { dueInMs = -1_000 } = {}): Promise<void> {
  await pool.query(
    `WITH n AS (
      INSERT INTO ${schema}.belfry_notifications (tenant, id, kind, type, title, message, data, created_at)
      SELECT 'default', gen_random_uuid(), 'send', 'invoice', $2, $3, '{}', now() FROM generate_series(1, $1::int) RETURNING pk),
    t AS (
      INSERT INTO ${schema}.belfry_trackings (notification_pk, tenant, channel, fallback_delay_ms, status, pending_chains, sent_chains, delivered_chains,
        failed_chains, cancelled_chains, attempts, fallback_used, created_at, updated_at)
      SELECT pk, 'default', 'noop', 0, 'pending', 1, 0, 0, 0, 0, 0, false, now(), now() FROM n),
    s AS (
      INSERT INTO ${schema}.belfry_sends (notification_pk, tenant, channels, recipients, has_fallback, meta)
      SELECT pk, 'default', '["noop"]', json_build_array('r' || pk), false, '{}' FROM n)
    INSERT INTO ${schema}.belfry_deliveries (id, notification_pk, tenant, channel, recipient, chain, is_fallback, status, attempt, attempts_before, due_at, fence)
    SELECT gen_random_uuid(), pk, 'default', 'noop', 'r' || pk, 0, false, 'pending', 0, 0, now() + $4 * interval '1 millisecond', 0 FROM n`,
    [count, TITLE, MESSAGE, dueInMs],
  );
}

/** Ends all that was enqueued, as if it had been delivered. */
export async function endInPostgres(pool: pg.Pool, schema: string): Promise<void> {
  await pool.query(
    `WITH d AS (
      UPDATE ${schema}.belfry_deliveries SET status = 'delivered', attempt = 1, fence = 1, due_at = NULL, settled_at = now()
      WHERE status = 'pending' RETURNING pk, notification_pk),
    a AS (
      INSERT INTO ${schema}.belfry_delivery_attempts (delivery_pk, attempt, status, started_at, finished_at, provider, is_transient)
      SELECT pk, 1, 'delivered', now(), now(), 'noop', false FROM d)
    UPDATE ${schema}.belfry_trackings t SET status = 'delivered', pending_chains = 0, delivered_chains = 1, attempts = 1, delivered_at = now(), updated_at = now()
    FROM d WHERE t.notification_pk = d.notification_pk`,
  );
}

/** What was done in a schema. */
export async function deliveredInPostgres(pool: pg.Pool, schema: string): Promise<Work> {
  return {
    deliveries: await numberIn(
      pool,
      `SELECT count(*) FROM ${schema}.belfry_deliveries WHERE status = 'delivered' AND lease_owner IS NULL AND attempt = 1`,
    ),
    attempts: await numberIn(pool, `SELECT count(*) FROM ${schema}.belfry_delivery_attempts WHERE status = 'delivered'`),
    sends: await numberIn(
      pool,
      `SELECT count(*) FROM ${schema}.belfry_trackings WHERE status = 'delivered' AND delivered_chains = 1 AND pending_chains = 0`,
    ),
  };
}

interface Claimed {
  readonly pk: string;
  readonly fence: number;
  readonly title: string;
  readonly message: string;
}

/** Delivers by hand on Belfry's schema: a statement to claim with the content, one to write all that came of it. */
export class RawPostgresDeliverer {
  readonly #pool: pg.Pool;
  readonly #schema: string;
  readonly #claim: string;
  readonly #complete: string;

  constructor(pool: pg.Pool, schema: string) {
    this.#pool = pool;
    this.#schema = schema;
    this.#claim = `WITH due AS MATERIALIZED (
        SELECT pk FROM ${schema}.belfry_deliveries WHERE status = 'pending' AND lease_owner IS NULL AND due_at <= now()
        ORDER BY due_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED),
      d AS (
        UPDATE ${schema}.belfry_deliveries SET lease_owner = 'raw', lease_until = now() + interval '1 minute', attempt = attempt + 1, fence = fence + 1
        WHERE pk = ANY (ARRAY(SELECT pk FROM due)) RETURNING pk, notification_pk, fence)
      SELECT d.pk, d.fence, n.title, n.message FROM d JOIN ${schema}.belfry_notifications n ON n.pk = d.notification_pk`;
    this.#complete = `WITH d AS (
        UPDATE ${schema}.belfry_deliveries SET status = 'delivered', lease_owner = NULL, lease_until = NULL, due_at = NULL, settled_at = now()
        WHERE pk = ANY ($1::bigint[]) AND lease_owner = 'raw' AND fence = $3 RETURNING pk, notification_pk, attempt),
      a AS (
        INSERT INTO ${schema}.belfry_delivery_attempts (delivery_pk, attempt, status, started_at, finished_at, provider, is_transient)
        SELECT pk, attempt, 'delivered', $2, now(), 'noop', false FROM d)
      UPDATE ${schema}.belfry_trackings t SET status = 'delivered', pending_chains = t.pending_chains - 1, delivered_chains = t.delivered_chains + 1,
        attempts = t.attempts + 1, delivered_at = now(), updated_at = now()
      FROM d WHERE t.notification_pk = d.notification_pk`;
  }

  /** Delivers until nothing is due. */
  async drain(): Promise<void> {
    for (;;) {
      const { rows } = await this.#pool.query<Claimed>({ name: `claim_${this.#schema}`, text: this.#claim });
      if (rows.length === 0) {
        return;
      }
      const startedAt = new Date().toISOString();
      await Promise.all(rows.map(deliver));
      for (const [fence, alike] of Map.groupBy(rows, (row) => row.fence)) {
        const values = [alike.map(({ pk }) => pk), startedAt, fence];
        await this.#pool.query({ name: `complete_${this.#schema}`, text: this.#complete, values });
      }
    }
  }
}

async function deliver(_claimed: Claimed): Promise<void> {}
