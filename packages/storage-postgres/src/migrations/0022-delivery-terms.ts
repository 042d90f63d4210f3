/** Never edit a published migration: databases keep its checksum. */
export const deliveryTermsMigration = `
ALTER TABLE belfry_trackings ADD COLUMN inbox_needs text NOT NULL DEFAULT 'connection';
ALTER TABLE belfry_trackings ADD COLUMN addresses text NOT NULL DEFAULT 'own';
CREATE TABLE belfry_taken_addresses (
  notification_pk bigint NOT NULL,
  place text COLLATE "C" NOT NULL,
  delivery_pk bigint NOT NULL,
  CONSTRAINT belfry_taken_addresses_pkey PRIMARY KEY (notification_pk, place),
  CONSTRAINT belfry_taken_addresses_delivery_pk_fkey FOREIGN KEY (delivery_pk) REFERENCES belfry_deliveries (pk) ON DELETE CASCADE
);
CREATE INDEX belfry_taken_addresses_delivery ON belfry_taken_addresses (delivery_pk);
`;
