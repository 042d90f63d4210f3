/** Never edit a published migration: databases keep its checksum. */
export const throttlesMigration = `
CREATE TABLE belfry_throttles (
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  place TEXT NOT NULL,
  free_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, user_id, place)
) WITHOUT ROWID;
CREATE INDEX belfry_throttles_free ON belfry_throttles (free_at);
`;
