/** Never edit a published migration: databases keep its checksum. */
export const suppressionsMigration = `
CREATE TABLE belfry_suppressions (
  tenant text COLLATE "C" NOT NULL,
  place text COLLATE "C" NOT NULL,
  channel text COLLATE "C" NOT NULL,
  address text COLLATE "C" NOT NULL,
  reason text NOT NULL,
  actor text NOT NULL,
  detail text,
  created_at timestamp(3) with time zone NOT NULL,
  PRIMARY KEY (tenant, place)
);
CREATE INDEX belfry_suppressions_address ON belfry_suppressions (tenant, address, place);
CREATE TABLE belfry_soft_bounces (
  tenant text COLLATE "C" NOT NULL,
  place text COLLATE "C" NOT NULL,
  delivery_id uuid NOT NULL,
  at timestamp(3) with time zone NOT NULL,
  PRIMARY KEY (tenant, place, delivery_id)
);
CREATE INDEX belfry_soft_bounces_at ON belfry_soft_bounces (at);
`;
