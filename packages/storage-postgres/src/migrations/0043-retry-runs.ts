/** Never edit a published migration: databases keep its checksum. */
export const retryRunsMigration = `
CREATE TABLE belfry_retry_runs (
  id uuid PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  filter text NOT NULL,
  recipient text COLLATE "C",
  actor text NOT NULL,
  state text NOT NULL,
  matched integer NOT NULL,
  looked integer NOT NULL,
  retried integer NOT NULL,
  after_id uuid,
  created_at timestamp(3) with time zone NOT NULL,
  ended_at timestamp(3) with time zone,
  due_at timestamp(3) with time zone NOT NULL,
  fence integer NOT NULL
);
CREATE INDEX belfry_retry_runs_tenant ON belfry_retry_runs (tenant, id);
CREATE INDEX belfry_retry_runs_due ON belfry_retry_runs (due_at) WHERE state = 'running';
CREATE INDEX belfry_retry_runs_ended ON belfry_retry_runs (ended_at) WHERE ended_at IS NOT NULL;
`;
