/** Never edit a published migration: databases keep its checksum. */
export const devicesMigration = `
CREATE TABLE belfry_devices (
  id uuid PRIMARY KEY,
  tenant text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  platform text COLLATE "C" NOT NULL,
  token_hash text COLLATE "C" NOT NULL,
  token text NOT NULL,
  keys text,
  app text,
  name text,
  created_at timestamp(3) with time zone NOT NULL,
  seen_at timestamp(3) with time zone NOT NULL
);
CREATE UNIQUE INDEX belfry_devices_token ON belfry_devices (tenant, platform, token_hash);
CREATE INDEX belfry_devices_user ON belfry_devices (tenant, user_id, id);
`;
