/**
 * Never edit a published migration: databases keep its checksum. It runs in one piece: an older instance beside a newer one
 * would count the chains of a notification in another row, so it is refused.
 */
export const trackingsMigration = `
CREATE TABLE belfry_trackings (
  notification_pk INTEGER PRIMARY KEY NOT NULL,
  tenant TEXT NOT NULL,
  channel TEXT NOT NULL,
  fallback_delay_ms INTEGER NOT NULL,
  scheduled_at INTEGER,
  status TEXT NOT NULL,
  pending_chains INTEGER NOT NULL,
  sent_chains INTEGER NOT NULL,
  delivered_chains INTEGER NOT NULL,
  failed_chains INTEGER NOT NULL,
  cancelled_chains INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  fallback_used INTEGER NOT NULL,
  delivered_at INTEGER,
  failed_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON UPDATE NO ACTION ON DELETE CASCADE
);
INSERT INTO belfry_trackings
  SELECT notification_pk, tenant, channel, fallback_delay_ms, scheduled_at, status, pending_chains, sent_chains, delivered_chains, failed_chains,
    cancelled_chains, attempts, fallback_used, delivered_at, failed_at, created_at, updated_at
  FROM belfry_sends ORDER BY notification_pk;
CREATE INDEX belfry_trackings_tenant_created ON belfry_trackings (tenant, created_at, notification_pk);
CREATE INDEX belfry_trackings_tenant_status ON belfry_trackings (tenant, status, created_at, notification_pk);

ALTER TABLE belfry_sends RENAME TO belfry_sends_before;
CREATE TABLE belfry_sends (
  notification_pk INTEGER PRIMARY KEY NOT NULL,
  tenant TEXT NOT NULL,
  channels TEXT NOT NULL,
  room_id TEXT,
  recipients TEXT NOT NULL,
  has_fallback INTEGER NOT NULL,
  meta TEXT NOT NULL,
  FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON UPDATE NO ACTION ON DELETE CASCADE
);
INSERT INTO belfry_sends
  SELECT notification_pk, tenant, channels, room_id, recipients, has_fallback, meta FROM belfry_sends_before ORDER BY notification_pk;
DROP TABLE belfry_sends_before;
`;
