/** Never edit a published migration: databases keep its checksum. See 0001 for `WITHOUT ROWID`. */
export const hubMigration = `
CREATE TABLE belfry_events (
  notification_pk INTEGER PRIMARY KEY NOT NULL,
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  sender TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON UPDATE NO ACTION ON DELETE CASCADE
);
CREATE INDEX belfry_events_tenant ON belfry_events (tenant, received_at, notification_pk);
CREATE INDEX belfry_events_source ON belfry_events (tenant, source, received_at, notification_pk);
CREATE INDEX belfry_events_sender ON belfry_events (tenant, sender, received_at, notification_pk);

CREATE TABLE belfry_event_acks (
  notification_pk INTEGER NOT NULL,
  client TEXT NOT NULL,
  acknowledged_at INTEGER NOT NULL,
  PRIMARY KEY (notification_pk, client),
  FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON UPDATE NO ACTION ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE belfry_identities (
  pk INTEGER PRIMARY KEY NOT NULL,
  id TEXT NOT NULL,
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  source_id TEXT NOT NULL,
  name TEXT NOT NULL,
  folded_name TEXT NOT NULL,
  metadata TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX belfry_identities_id ON belfry_identities (tenant, id);
CREATE UNIQUE INDEX belfry_identities_source_id ON belfry_identities (tenant, source, source_id);
CREATE INDEX belfry_identities_tenant ON belfry_identities (tenant, created_at, pk);
CREATE INDEX belfry_identities_source ON belfry_identities (tenant, source, created_at, pk);

CREATE TABLE belfry_handlers (
  pk INTEGER PRIMARY KEY NOT NULL,
  id TEXT NOT NULL,
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  prompt TEXT NOT NULL,
  filter TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX belfry_handlers_id ON belfry_handlers (tenant, id);
CREATE INDEX belfry_handlers_tenant ON belfry_handlers (tenant, created_at, pk);
CREATE INDEX belfry_handlers_source ON belfry_handlers (tenant, source, created_at, pk);

CREATE TABLE belfry_processing_records (
  pk INTEGER PRIMARY KEY NOT NULL,
  id TEXT NOT NULL,
  notification_pk INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  handler_id TEXT NOT NULL,
  prompt TEXT NOT NULL,
  status TEXT NOT NULL,
  result TEXT,
  error TEXT,
  attempt INTEGER NOT NULL,
  input_tokens INTEGER,
  output_tokens INTEGER,
  created_at INTEGER NOT NULL,
  completed_at INTEGER,
  due_at INTEGER,
  lease_owner TEXT,
  lease_until INTEGER,
  fence INTEGER NOT NULL,
  FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON UPDATE NO ACTION ON DELETE CASCADE
);
CREATE UNIQUE INDEX belfry_processing_records_id ON belfry_processing_records (id);
CREATE INDEX belfry_processing_records_notification ON belfry_processing_records (notification_pk, pk);
CREATE INDEX belfry_processing_records_due ON belfry_processing_records (due_at, pk) WHERE status = 'PENDING';
CREATE INDEX belfry_processing_records_tenant_due ON belfry_processing_records (tenant, due_at, pk) WHERE status = 'PENDING';
CREATE INDEX belfry_processing_records_leased ON belfry_processing_records (lease_until) WHERE lease_owner IS NOT NULL;
CREATE INDEX belfry_processing_records_settled ON belfry_processing_records (tenant, source, completed_at, pk) WHERE completed_at IS NOT NULL;
`;
