/** Never edit a published migration: databases keep its checksum. */
export const audiencesMigration = `
CREATE TABLE belfry_audiences (
  notification_pk INTEGER PRIMARY KEY NOT NULL REFERENCES belfry_notifications (pk) ON DELETE CASCADE,
  tenant TEXT NOT NULL,
  topics TEXT NOT NULL,
  source TEXT,
  after_user TEXT,
  place INTEGER NOT NULL,
  mark TEXT NOT NULL,
  has_deliveries INTEGER NOT NULL
);
CREATE INDEX belfry_audiences_open ON belfry_audiences (notification_pk) WHERE source IS NOT NULL;
CREATE INDEX belfry_audiences_tenant ON belfry_audiences (tenant) WHERE source IS NOT NULL;
ALTER TABLE belfry_fan_out_parts ADD COLUMN topic TEXT;
ALTER TABLE belfry_fan_out_parts ADD COLUMN channels TEXT;
ALTER TABLE belfry_deliveries ADD COLUMN topic TEXT;
`;
