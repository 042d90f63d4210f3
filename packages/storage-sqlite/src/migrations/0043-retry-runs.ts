/** Never edit a published migration: databases keep its checksum. */
export const retryRunsMigration = `
CREATE TABLE belfry_retry_runs (
  id TEXT PRIMARY KEY NOT NULL,
  tenant TEXT NOT NULL,
  filter TEXT NOT NULL,
  recipient TEXT,
  actor TEXT NOT NULL,
  state TEXT NOT NULL,
  matched INTEGER NOT NULL,
  looked INTEGER NOT NULL,
  retried INTEGER NOT NULL,
  after_id TEXT,
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  due_at INTEGER NOT NULL,
  fence INTEGER NOT NULL
);
CREATE INDEX belfry_retry_runs_tenant ON belfry_retry_runs (tenant, id);
CREATE INDEX belfry_retry_runs_due ON belfry_retry_runs (due_at) WHERE state = 'running';
CREATE INDEX belfry_retry_runs_ended ON belfry_retry_runs (ended_at) WHERE ended_at IS NOT NULL;
`;
