/** Never edit a published migration: databases keep its checksum. */
export const broadcastsMigration = `
CREATE TABLE belfry_broadcast_numbers (
  tenant TEXT NOT NULL PRIMARY KEY,
  newest INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE belfry_broadcasts (
  pk INTEGER PRIMARY KEY NOT NULL,
  tenant TEXT NOT NULL,
  notification_pk INTEGER NOT NULL REFERENCES belfry_notifications (pk) ON DELETE CASCADE,
  number INTEGER,
  due_at INTEGER,
  at INTEGER NOT NULL,
  is_standing INTEGER NOT NULL,
  except_users TEXT,
  page_cursor TEXT
);
CREATE UNIQUE INDEX belfry_broadcasts_number ON belfry_broadcasts (tenant, number);
CREATE UNIQUE INDEX belfry_broadcasts_notification ON belfry_broadcasts (notification_pk);
CREATE INDEX belfry_broadcasts_standing ON belfry_broadcasts (tenant, number) WHERE is_standing;
CREATE INDEX belfry_broadcasts_due ON belfry_broadcasts (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX belfry_broadcasts_paged ON belfry_broadcasts (pk) WHERE page_cursor IS NOT NULL;
ALTER TABLE belfry_inbox_counters ADD COLUMN began_after INTEGER;
ALTER TABLE belfry_inbox_counters ADD COLUMN placed_up_to INTEGER;
`;
