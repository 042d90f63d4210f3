/** Never edit a published migration: databases keep its checksum. See 0001 for `WITHOUT ROWID`. */
export const deletedUsersMigration = `
CREATE TABLE belfry_deleted_users (
  tenant TEXT NOT NULL,
  hash TEXT NOT NULL,
  key TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (tenant, hash)
) WITHOUT ROWID;
`;
