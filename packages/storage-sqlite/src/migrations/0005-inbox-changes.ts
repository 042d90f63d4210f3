/** Never edit a published migration: databases keep its checksum. It makes one table anew to change its key. */
export const inboxChangesMigration = `
ALTER TABLE belfry_inbox_items ADD COLUMN unread_rev INTEGER;
ALTER TABLE belfry_inbox_counters ADD COLUMN rev INTEGER NOT NULL DEFAULT 0;
ALTER TABLE belfry_inbox_counters ADD COLUMN read_rev INTEGER NOT NULL DEFAULT 0;
ALTER TABLE belfry_inbox_counters ADD COLUMN reopened_from_seq INTEGER;

ALTER TABLE belfry_read_marks RENAME TO belfry_read_marks_before;
CREATE TABLE belfry_read_marks (
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  up_to_seq INTEGER NOT NULL,
  read_at INTEGER NOT NULL,
  rev INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, user_id, up_to_seq, rev)
) WITHOUT ROWID;
INSERT INTO belfry_read_marks (tenant, user_id, up_to_seq, read_at) SELECT tenant, user_id, up_to_seq, read_at FROM belfry_read_marks_before;
DROP TABLE belfry_read_marks_before;
`;
