/** Never edit a published migration: databases keep its checksum. */
export const audiencesMigration = `
CREATE TABLE belfry_audiences (
  notification_pk bigint PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  topics text NOT NULL,
  source text,
  after_user text COLLATE "C",
  place bigint NOT NULL,
  mark text NOT NULL,
  has_deliveries boolean NOT NULL,
  CONSTRAINT belfry_audiences_notification_pk_fkey FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON DELETE CASCADE
);
CREATE INDEX belfry_audiences_open ON belfry_audiences (notification_pk) WHERE source IS NOT NULL;
CREATE INDEX belfry_audiences_tenant ON belfry_audiences (tenant) WHERE source IS NOT NULL;
ALTER TABLE belfry_fan_out_parts ADD COLUMN topic text;
ALTER TABLE belfry_fan_out_parts ADD COLUMN channels text;
ALTER TABLE belfry_deliveries ADD COLUMN topic text;
`;
