/** Never edit a published migration: databases keep its checksum. */
export const changeLogMigration = `
CREATE TABLE belfry_inbox_changes (
  tenant text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  rev bigint NOT NULL,
  last_seq bigint NOT NULL,
  kind text NOT NULL,
  seqs text,
  up_to_seq bigint,
  of_group text,
  at bigint NOT NULL,
  until bigint,
  CONSTRAINT belfry_inbox_changes_pkey PRIMARY KEY (tenant, user_id, rev)
);
CREATE INDEX belfry_inbox_changes_at ON belfry_inbox_changes (at);
`;
