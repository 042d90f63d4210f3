/** Never edit a published migration: databases keep its checksum. */
export const throttlesMigration = `
CREATE TABLE belfry_throttles (
  tenant text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  place text COLLATE "C" NOT NULL,
  free_at bigint NOT NULL,
  CONSTRAINT belfry_throttles_pkey PRIMARY KEY (tenant, user_id, place)
);
CREATE INDEX belfry_throttles_free ON belfry_throttles (free_at);
`;
