/** Never edit a published migration: databases keep its checksum. */
export const alarmsMigration = `
CREATE TABLE belfry_alarms (
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  channel TEXT NOT NULL,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  value INTEGER NOT NULL,
  line INTEGER NOT NULL,
  raised_at INTEGER NOT NULL,
  ended_at INTEGER,
  told_at INTEGER,
  due_at INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  PRIMARY KEY (tenant, kind, channel)
) WITHOUT ROWID;
CREATE INDEX belfry_alarms_untold ON belfry_alarms (due_at) WHERE told_at IS NULL;
CREATE INDEX belfry_alarms_id ON belfry_alarms (id);
`;
