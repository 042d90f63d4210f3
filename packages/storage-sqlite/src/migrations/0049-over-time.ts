/** Never edit a published migration: databases keep its checksum. */
export const overTimeMigration = `
CREATE TABLE belfry_backlog_samples (
  tenant TEXT NOT NULL,
  minute INTEGER NOT NULL,
  channel TEXT NOT NULL,
  scheduled INTEGER NOT NULL,
  due INTEGER NOT NULL,
  retrying INTEGER NOT NULL,
  held INTEGER NOT NULL,
  PRIMARY KEY (tenant, minute, channel)
) WITHOUT ROWID;
CREATE INDEX belfry_backlog_samples_minute ON belfry_backlog_samples (minute);
CREATE TABLE belfry_worker_heartbeats (
  instance TEXT NOT NULL,
  name TEXT NOT NULL,
  owner TEXT,
  mode TEXT NOT NULL,
  concurrency INTEGER NOT NULL,
  attempting INTEGER NOT NULL,
  leased INTEGER NOT NULL,
  lag_ms INTEGER,
  at INTEGER NOT NULL,
  PRIMARY KEY (instance, name)
) WITHOUT ROWID;
CREATE INDEX belfry_worker_heartbeats_at ON belfry_worker_heartbeats (at);
`;
