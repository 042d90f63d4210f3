/** Never edit a published migration: databases keep its checksum. */
export const statesMigration = `
CREATE TABLE belfry_circuits (
  channel text COLLATE "C" NOT NULL,
  recipient text COLLATE "C" NOT NULL,
  failures integer NOT NULL,
  opened_at timestamp(3) with time zone NOT NULL,
  open_until timestamp(3) with time zone NOT NULL,
  PRIMARY KEY (channel, recipient)
);
CREATE INDEX belfry_circuits_until ON belfry_circuits (open_until);
CREATE INDEX belfry_circuits_recipient ON belfry_circuits (recipient);
CREATE INDEX belfry_deliveries_tenant_ended ON belfry_deliveries (tenant, status, notification_pk) WHERE status IN ('failed', 'skipped', 'cancelled');
CREATE INDEX belfry_deliveries_tenant_retrying ON belfry_deliveries (tenant, notification_pk)
  WHERE status = 'pending' AND lease_owner IS NULL AND attempt > attempts_before;
CREATE INDEX belfry_deliveries_tenant_held ON belfry_deliveries (tenant, notification_pk) WHERE reason IN ('quiet_hours', 'paused');
CREATE INDEX belfry_deliveries_tenant_waiting ON belfry_deliveries (tenant, notification_pk) WHERE status = 'waiting';
`;
