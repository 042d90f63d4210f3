/** Never edit a published migration: databases keep its checksum. See 0001 for `WITHOUT ROWID`. */
export const deliveriesMigration = `
CREATE TABLE belfry_sends (
  notification_pk INTEGER PRIMARY KEY NOT NULL,
  tenant TEXT NOT NULL,
  channel TEXT NOT NULL,
  channels TEXT NOT NULL,
  room_id TEXT,
  recipients TEXT NOT NULL,
  has_fallback INTEGER NOT NULL,
  fallback_delay_ms INTEGER NOT NULL,
  scheduled_at INTEGER,
  meta TEXT NOT NULL,
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
CREATE INDEX belfry_sends_tenant_created ON belfry_sends (tenant, created_at, notification_pk);
CREATE INDEX belfry_sends_tenant_status ON belfry_sends (tenant, status, created_at, notification_pk);

CREATE TABLE belfry_deliveries (
  pk INTEGER PRIMARY KEY NOT NULL,
  id TEXT NOT NULL,
  notification_pk INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  channel TEXT NOT NULL,
  recipient TEXT NOT NULL,
  chain INTEGER NOT NULL,
  is_fallback INTEGER NOT NULL,
  status TEXT NOT NULL,
  reason TEXT,
  attempt INTEGER NOT NULL,
  attempts_before INTEGER NOT NULL,
  due_at INTEGER,
  lease_owner TEXT,
  lease_until INTEGER,
  fence INTEGER NOT NULL,
  settled_at INTEGER,
  FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON UPDATE NO ACTION ON DELETE CASCADE
);
CREATE UNIQUE INDEX belfry_deliveries_id ON belfry_deliveries (id);
CREATE INDEX belfry_deliveries_chain ON belfry_deliveries (notification_pk, chain, is_fallback);
CREATE INDEX belfry_deliveries_recipient ON belfry_deliveries (tenant, recipient, notification_pk);
CREATE INDEX belfry_deliveries_due ON belfry_deliveries (due_at) WHERE status = 'pending' AND lease_owner IS NULL;
CREATE INDEX belfry_deliveries_waiting ON belfry_deliveries (due_at) WHERE status = 'waiting';
CREATE INDEX belfry_deliveries_leased ON belfry_deliveries (lease_until) WHERE lease_owner IS NOT NULL;

CREATE TABLE belfry_delivery_attempts (
  delivery_pk INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  status TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER NOT NULL,
  provider TEXT NOT NULL,
  response TEXT,
  message_id TEXT,
  error TEXT,
  note TEXT,
  is_transient INTEGER NOT NULL,
  PRIMARY KEY (delivery_pk, attempt),
  FOREIGN KEY (delivery_pk) REFERENCES belfry_deliveries (pk) ON UPDATE NO ACTION ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE belfry_idempotency_keys (
  tenant TEXT NOT NULL,
  key TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  response TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, key)
) WITHOUT ROWID;
CREATE INDEX belfry_idempotency_keys_created ON belfry_idempotency_keys (created_at);

CREATE TABLE belfry_audit_log (
  number INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  tenant TEXT NOT NULL,
  at INTEGER NOT NULL,
  action TEXT NOT NULL,
  actor TEXT NOT NULL,
  notification_id TEXT NOT NULL
);
CREATE INDEX belfry_audit_log_tenant ON belfry_audit_log (tenant, number);

CREATE TABLE belfry_api_keys (
  id TEXT PRIMARY KEY NOT NULL,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
);
CREATE INDEX belfry_api_keys_tenant ON belfry_api_keys (tenant, created_at);
`;
