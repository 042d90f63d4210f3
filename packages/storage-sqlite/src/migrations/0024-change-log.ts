/** Never edit a published migration: databases keep its checksum. */
export const changeLogMigration = `
CREATE TABLE belfry_inbox_changes (
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  rev INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  seqs TEXT,
  up_to_seq INTEGER,
  of_group TEXT,
  at INTEGER NOT NULL,
  until INTEGER,
  PRIMARY KEY (tenant, user_id, rev)
) WITHOUT ROWID;
CREATE INDEX belfry_inbox_changes_at ON belfry_inbox_changes (at);
`;
