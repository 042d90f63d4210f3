/** Never edit a published migration: databases keep its checksum. */
export const pausesMigration = `
CREATE TABLE belfry_pauses (
  tenant text COLLATE "C" NOT NULL,
  channel text COLLATE "C" NOT NULL,
  recipient text COLLATE "C" NOT NULL,
  actor text NOT NULL,
  detail text,
  paused_at timestamp(3) with time zone NOT NULL,
  resumed_at timestamp(3) with time zone,
  PRIMARY KEY (tenant, channel, recipient)
);
CREATE INDEX belfry_deliveries_tenant_failed ON belfry_deliveries (tenant, notification_pk) WHERE status = 'failed' AND channel <> 'inbox';
CREATE INDEX belfry_deliveries_paused ON belfry_deliveries (tenant, notification_pk) WHERE reason_source = 'operator';
CREATE INDEX belfry_deliveries_channel_paused ON belfry_deliveries (tenant, channel, notification_pk) WHERE reason_source = 'operator';
CREATE INDEX belfry_deliveries_endpoint_paused ON belfry_deliveries (tenant, channel, recipient, notification_pk) WHERE reason_source = 'operator';
`;
