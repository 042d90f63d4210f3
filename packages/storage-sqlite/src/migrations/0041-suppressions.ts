/** Never edit a published migration: databases keep its checksum. */
export const suppressionsMigration = `
CREATE TABLE belfry_suppressions (
  tenant TEXT NOT NULL,
  place TEXT NOT NULL,
  channel TEXT NOT NULL,
  address TEXT NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  detail TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, place)
);
CREATE INDEX belfry_suppressions_address ON belfry_suppressions (tenant, address, place);
CREATE TABLE belfry_soft_bounces (
  tenant TEXT NOT NULL,
  place TEXT NOT NULL,
  delivery_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (tenant, place, delivery_id)
);
CREATE INDEX belfry_soft_bounces_at ON belfry_soft_bounces (at);
`;
