/** Never edit a published migration: databases keep its checksum. */
export const pausesMigration = `
CREATE TABLE belfry_pauses (
  tenant TEXT NOT NULL,
  channel TEXT NOT NULL,
  recipient TEXT NOT NULL,
  actor TEXT NOT NULL,
  detail TEXT,
  paused_at INTEGER NOT NULL,
  resumed_at INTEGER,
  PRIMARY KEY (tenant, channel, recipient)
) WITHOUT ROWID;
CREATE INDEX belfry_deliveries_tenant_failed ON belfry_deliveries (tenant, notification_pk) WHERE status = 'failed' AND channel <> 'inbox';
CREATE INDEX belfry_deliveries_paused ON belfry_deliveries (tenant, notification_pk) WHERE reason_source = 'operator';
CREATE INDEX belfry_deliveries_channel_paused ON belfry_deliveries (tenant, channel, notification_pk) WHERE reason_source = 'operator';
CREATE INDEX belfry_deliveries_endpoint_paused ON belfry_deliveries (tenant, channel, recipient, notification_pk) WHERE reason_source = 'operator';
`;
