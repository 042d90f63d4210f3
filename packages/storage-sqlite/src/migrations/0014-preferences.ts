/** Never edit a published migration: databases keep its checksum. */
export const preferencesMigration = `
CREATE TABLE belfry_choices (
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  place TEXT NOT NULL,
  scope TEXT NOT NULL,
  name TEXT NOT NULL,
  channel TEXT NOT NULL,
  value TEXT NOT NULL,
  is_locked INTEGER NOT NULL,
  conditions TEXT,
  PRIMARY KEY (tenant, user_id, place)
) WITHOUT ROWID;
CREATE TABLE belfry_settings (
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  time_zone TEXT,
  quiet_hours TEXT,
  pause_until INTEGER,
  digest TEXT,
  PRIMARY KEY (tenant, user_id)
) WITHOUT ROWID;
`;
