/** Never edit a published migration: databases keep its checksum. */
export const overTimeMigration = `
CREATE TABLE belfry_backlog_samples (
  tenant text COLLATE "C" NOT NULL,
  minute timestamp(3) with time zone NOT NULL,
  channel text COLLATE "C" NOT NULL,
  scheduled integer NOT NULL,
  due integer NOT NULL,
  retrying integer NOT NULL,
  held integer NOT NULL,
  PRIMARY KEY (tenant, minute, channel)
);
CREATE INDEX belfry_backlog_samples_minute ON belfry_backlog_samples (minute);
CREATE TABLE belfry_worker_heartbeats (
  instance text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  owner text,
  mode text NOT NULL,
  concurrency integer NOT NULL,
  attempting integer NOT NULL,
  leased integer NOT NULL,
  lag_ms bigint,
  at timestamp(3) with time zone NOT NULL,
  PRIMARY KEY (instance, name)
);
CREATE INDEX belfry_worker_heartbeats_at ON belfry_worker_heartbeats (at);
`;
