/** Never edit a published migration: databases keep its checksum. */
export const devicesMigration = `
CREATE TABLE belfry_devices (
  id TEXT PRIMARY KEY NOT NULL,
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  platform TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  token TEXT NOT NULL,
  keys TEXT,
  app TEXT,
  name TEXT,
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX belfry_devices_token ON belfry_devices (tenant, platform, token_hash);
CREATE INDEX belfry_devices_user ON belfry_devices (tenant, user_id, id);
`;
