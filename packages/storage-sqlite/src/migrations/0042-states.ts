/** Never edit a published migration: databases keep its checksum. */
export const statesMigration = `
CREATE TABLE belfry_circuits (
  channel TEXT NOT NULL,
  recipient TEXT NOT NULL,
  failures INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,
  open_until INTEGER NOT NULL,
  PRIMARY KEY (channel, recipient)
) WITHOUT ROWID;
CREATE INDEX belfry_circuits_until ON belfry_circuits (open_until);
CREATE INDEX belfry_circuits_recipient ON belfry_circuits (recipient);
CREATE INDEX belfry_deliveries_tenant_ended ON belfry_deliveries (tenant, status, notification_pk) WHERE status IN ('failed', 'skipped', 'cancelled');
CREATE INDEX belfry_deliveries_tenant_retrying ON belfry_deliveries (tenant, notification_pk)
  WHERE status = 'pending' AND lease_owner IS NULL AND attempt > attempts_before;
CREATE INDEX belfry_deliveries_tenant_held ON belfry_deliveries (tenant, notification_pk) WHERE reason IN ('quiet_hours', 'paused');
CREATE INDEX belfry_deliveries_tenant_waiting ON belfry_deliveries (tenant, notification_pk) WHERE status = 'waiting';
`;
