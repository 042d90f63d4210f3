/**
 * Never edit a published migration: databases keep its checksum. drizzle-kit generated the statements from the schema;
 * `WITHOUT ROWID`, which a drizzle schema cannot say, is added by hand. With it a table is its own primary key: a list
 * reads one range, and a row is not stored once more in a separate key index.
 */
export const inboxMigration = `
CREATE TABLE belfry_notifications (
  pk INTEGER PRIMARY KEY NOT NULL,
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  type TEXT NOT NULL,
  title TEXT NOT NULL,
  message TEXT NOT NULL,
  data TEXT NOT NULL,
  source TEXT,
  sender TEXT,
  created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX belfry_notifications_tenant_id ON belfry_notifications (tenant, id);

CREATE TABLE belfry_inbox_items (
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  notification_pk INTEGER NOT NULL,
  type TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  read_at INTEGER,
  deleted_at INTEGER,
  PRIMARY KEY (tenant, user_id, seq),
  FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON UPDATE NO ACTION ON DELETE CASCADE
) WITHOUT ROWID;
CREATE UNIQUE INDEX belfry_inbox_items_notification_user ON belfry_inbox_items (notification_pk, user_id);

CREATE TABLE belfry_inbox_counters (
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  last_seq INTEGER NOT NULL,
  total INTEGER NOT NULL,
  unread INTEGER NOT NULL,
  read_up_to_seq INTEGER NOT NULL,
  epoch TEXT NOT NULL,
  PRIMARY KEY (tenant, user_id)
) WITHOUT ROWID;

CREATE TABLE belfry_read_marks (
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  up_to_seq INTEGER NOT NULL,
  read_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, user_id, up_to_seq)
) WITHOUT ROWID;

CREATE TABLE belfry_fan_out_chunks (
  pk INTEGER PRIMARY KEY NOT NULL,
  notification_pk INTEGER NOT NULL,
  recipients TEXT NOT NULL,
  FOREIGN KEY (notification_pk) REFERENCES belfry_notifications (pk) ON UPDATE NO ACTION ON DELETE CASCADE
);
`;
