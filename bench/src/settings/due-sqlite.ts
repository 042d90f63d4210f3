import type Database from "better-sqlite3";
import type { Work } from "../harness/row.ts";
import { MESSAGE, TITLE } from "./content.ts";
import { BATCH } from "./noop-channel.ts";
import { rawUuidV7 } from "./raw-uuid.ts";
import { numberOf } from "./sqlite.ts";

/** Writes sends that are due, each to one recipient: what `send` writes, but all in one transaction. */
export function enqueuerInSqlite(database: Database.Database): (count: number) => void {
  const notification = database.prepare(
    "INSERT INTO belfry_notifications (tenant, id, kind, type, title, message, data, created_at) VALUES ('default', ?, 'send', 'invoice', ?, ?, '{}', ?)",
  );
  const tracking = database.prepare(
    `INSERT INTO belfry_trackings (notification_pk, tenant, channel, fallback_delay_ms, status, pending_chains, sent_chains, delivered_chains, failed_chains,
      cancelled_chains, attempts, fallback_used, created_at, updated_at) VALUES (?, 'default', 'noop', 0, 'pending', 1, 0, 0, 0, 0, 0, 0, ?, ?)`,
  );
  const send = database.prepare(
    "INSERT INTO belfry_sends (notification_pk, tenant, channels, recipients, has_fallback, meta) VALUES (?, 'default', '[\"noop\"]', ?, 0, '{}')",
  );
  const delivery = database.prepare(
    `INSERT INTO belfry_deliveries (id, notification_pk, tenant, channel, recipient, chain, is_fallback, status, attempt, attempts_before, due_at, fence)
      VALUES (?, ?, 'default', 'noop', ?, 0, 0, 'pending', 0, 0, ?, 0)`,
  );
  return database.transaction((count: number) => {
    const now = Date.now();
    for (let index = 0; index < count; index += 1) {
      const { lastInsertRowid: pk } = notification.run(rawUuidV7(now), TITLE, MESSAGE, now);
      tracking.run(pk, now, now);
      send.run(pk, `["r${pk}"]`);
      delivery.run(rawUuidV7(now), pk, `r${pk}`, now - 1_000);
    }
  });
}

/** Ends all that was enqueued, as if it had been delivered. */
export function endInSqlite(database: Database.Database): void {
  database.transaction(() => {
    const now = Date.now();
    database
      .prepare(
        `INSERT INTO belfry_delivery_attempts (delivery_pk, attempt, status, started_at, finished_at, provider, is_transient)
          SELECT pk, 1, 'delivered', ?, ?, 'noop', 0 FROM belfry_deliveries WHERE status = 'pending'`,
      )
      .run(now, now);
    database
      .prepare(
        `UPDATE belfry_trackings SET status = 'delivered', pending_chains = 0, delivered_chains = 1, attempts = 1, delivered_at = ?, updated_at = ?
          WHERE notification_pk IN (SELECT notification_pk FROM belfry_deliveries WHERE status = 'pending')`,
      )
      .run(now, now);
    database
      .prepare(
        "UPDATE belfry_deliveries SET status = 'delivered', attempt = 1, fence = 1, due_at = NULL, settled_at = ? WHERE status = 'pending'",
      )
      .run(now);
  })();
}

/** What was done in a database. */
export function deliveredInSqlite(database: Database.Database): Work {
  return {
    deliveries: numberOf(
      database,
      "SELECT count(*) FROM belfry_deliveries WHERE status = 'delivered' AND lease_owner IS NULL AND attempt = 1",
    ),
    attempts: numberOf(database, "SELECT count(*) FROM belfry_delivery_attempts WHERE status = 'delivered'"),
    sends: numberOf(
      database,
      "SELECT count(*) FROM belfry_trackings WHERE status = 'delivered' AND delivered_chains = 1 AND pending_chains = 0",
    ),
  };
}

type Claimed = readonly [pk: number, fence: number, title: string, message: string];

/** Delivers by hand on Belfry's schema: a transaction to claim with the content, one to write all that came of it, both by sets. */
export function rawSqliteDrain(database: Database.Database): () => Promise<void> {
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const due = database
    .prepare(
      `SELECT d.pk, d.fence + 1, n.title, n.message FROM belfry_deliveries d CROSS JOIN belfry_notifications n ON n.pk = d.notification_pk
        WHERE d.status = 'pending' AND d.lease_owner IS NULL AND d.due_at <= ? ORDER BY d.due_at LIMIT ${BATCH}`,
    )
    .raw();
  const lease = database.prepare(
    `UPDATE belfry_deliveries SET lease_owner = 'raw', lease_until = ?, attempt = attempt + 1, fence = fence + 1
      WHERE pk IN (SELECT value FROM json_each(?))`,
  );
  const complete = database.prepare(
    `UPDATE belfry_deliveries SET status = 'delivered', lease_owner = NULL, lease_until = NULL, due_at = NULL, settled_at = ?
      WHERE pk IN (SELECT value FROM json_each(?)) AND lease_owner = 'raw' AND fence = ?`,
  );
  const attempts = database.prepare(
    `INSERT INTO belfry_delivery_attempts (delivery_pk, attempt, status, started_at, finished_at, provider, is_transient)
      SELECT pk, attempt, 'delivered', ?, ?, 'noop', 0 FROM json_each(?) k CROSS JOIN belfry_deliveries d ON d.pk = k.value`,
  );
  const trackings = database.prepare(
    `UPDATE belfry_trackings SET status = 'delivered', pending_chains = pending_chains - 1, delivered_chains = delivered_chains + 1,
      attempts = attempts + 1, delivered_at = ?, updated_at = ?
      WHERE notification_pk IN (SELECT notification_pk FROM json_each(?) k CROSS JOIN belfry_deliveries d ON d.pk = k.value)`,
  );
  const claim = () => {
    const now = Date.now();
    begin.run();
    const rows = due.all(now) as Claimed[];
    if (rows.length > 0) {
      lease.run(now + 60_000, JSON.stringify(rows.map(([pk]) => pk)));
    }
    commit.run();
    return rows;
  };
  const settle = (rows: readonly Claimed[], startedAt: number) => {
    const now = Date.now();
    const keys = JSON.stringify(rows.map(([pk]) => pk));
    begin.run();
    for (const [fence, alike] of Map.groupBy(rows, (row) => row[1])) {
      complete.run(now, JSON.stringify(alike.map(([pk]) => pk)), fence);
    }
    attempts.run(startedAt, now, keys);
    trackings.run(now, now, keys);
    commit.run();
  };
  return async () => {
    for (let rows = claim(); rows.length > 0; rows = claim()) {
      const startedAt = Date.now();
      await Promise.all(rows.map(deliver));
      settle(rows, startedAt);
    }
  };
}

async function deliver(_claimed: Claimed): Promise<void> {}
