/** Never edit a published migration: databases keep its checksum. */
export const preferencesMigration = `
CREATE TABLE belfry_choices (
  tenant text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  place text COLLATE "C" NOT NULL,
  scope text NOT NULL,
  name text NOT NULL,
  channel text NOT NULL,
  value text NOT NULL,
  is_locked boolean NOT NULL,
  conditions text,
  CONSTRAINT belfry_choices_pkey PRIMARY KEY (tenant, user_id, place)
);
CREATE TABLE belfry_settings (
  tenant text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  time_zone text,
  quiet_hours text,
  pause_until bigint,
  digest text,
  CONSTRAINT belfry_settings_pkey PRIMARY KEY (tenant, user_id)
);
`;
